import type { Clock, Limits, MemoryManager } from "@cherry-ai/memory";
import type { Logger } from "pino";
import type { Registry } from "prom-client";
import type { Authenticator } from "../auth/authenticator.ts";
import type { HttpMetrics } from "../metrics/http-metrics.ts";
import type { ServerState } from "../server/server-state.ts";

/** Bounds of the server beside the memory's own. */
export interface ServerBounds {
  /** Change streams open at once. */
  readonly streamsMax: number;
  /** Between two looks at the change log when it is quiet. */
  readonly streamPollMs: number;
  /** A quiet change stream says this often that it is alive. */
  readonly heartbeatMs: number;
  /** Above this many items a forget becomes a job. */
  readonly forgetItemsMax: number;
  /** A successful request that takes longer is logged as a warning. */
  readonly slowRequestMs: number;
}

export const DEFAULT_BOUNDS: ServerBounds = Object.freeze({
  streamsMax: 256,
  streamPollMs: 250,
  heartbeatMs: 15_000,
  forgetItemsMax: 10_000,
  slowRequestMs: 1_000,
});

/** What all routes work with. */
export interface ApiContext {
  readonly memory: MemoryManager;
  readonly limits: Limits;
  readonly auth: Authenticator;
  readonly state: ServerState;
  readonly metrics: HttpMetrics;
  readonly registry: Registry;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly bounds: ServerBounds;
}
