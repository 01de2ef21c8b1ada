import type { Clock } from "../../model/clock.ts";
import type { Limits } from "../../model/limits.ts";
import type { BoundSchema } from "./bound-schema.ts";
import type { Database } from "./database.ts";

/** What the parts of the authority share. */
export interface AuthorityContext {
  readonly database: Database;
  readonly schema: BoundSchema;
  readonly clock: Clock;
  readonly limits: Limits;
}
