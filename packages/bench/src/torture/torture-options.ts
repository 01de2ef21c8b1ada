import type { PostgresServer } from "@cherry-ai/services";
import type { Fault } from "./faults/fault.ts";
import type { Mix } from "./workload/worker.ts";

export interface TortureOptions {
  /** One that runs already; absent: one of its own. */
  readonly postgres?: PostgresServer;
  readonly subject: string;
  readonly servers: number;
  readonly seconds: number;
  readonly seed: number;
  readonly withRedis: boolean;
  readonly boundMs: number;
  readonly faults: readonly Fault[];
  readonly workers: number;
  readonly mix: Mix;
  readonly restMsMax: number;
  /** A part of ours that is replaced by a wrong one; the checker must catch it. */
  readonly broken?: string;
  /** Runs once the tables are there. */
  readonly prepareDatabase?: (url: string) => Promise<void>;
  readonly databaseUrlOf?: (url: string, clockOffsetMs: number) => string;
  /** Calm between two faults: at least and at most, milliseconds. */
  readonly calmMs: readonly [number, number];
  readonly progress: (text: string) => void;
}
