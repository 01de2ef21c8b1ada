import type { Fault } from "./faults/fault.ts";
import type { Mix } from "./workload/worker.ts";

export interface TortureOptions {
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
  readonly broken?: string;
  readonly prepareDatabase?: (url: string) => Promise<void>;
  readonly progress: (text: string) => void;
}
