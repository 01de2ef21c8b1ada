import type { IncomingMessage } from "node:http";
import type { Identity } from "./identity.ts";

/** Says who calls. Throws UNAUTHENTICATED or FORBIDDEN. */
export interface Authenticator {
  /** Judged for every request, also for those that need no token. */
  admit(req: IncomingMessage): void;
  /** At once where that is possible: it is on the path of every read. */
  identify(req: IncomingMessage): Identity | Promise<Identity>;
  /** Whether a request may read the metrics without a token. */
  isDirectLocal(req: IncomingMessage): boolean;
  close(): void;
}
