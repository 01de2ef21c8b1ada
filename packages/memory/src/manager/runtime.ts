import { MemoryError } from "../model/errors.ts";
import type { Limits } from "../model/limits.ts";
import type { BatchPath } from "./batch-path.ts";
import type { Core } from "./core.ts";
import type { EphemeralPath } from "./ephemeral-path.ts";
import type { Forgetter } from "./forgetter.ts";
import type { ReadPath } from "./read-path.ts";
import { AgentMemory } from "./recall/agent-memory.ts";
import type { RecallEmbedder } from "./recall/open-recall-embedder.ts";
import type { WritePath } from "./write-path.ts";

/** What a ready manager works with. */
export interface Parts {
  readonly core: Core;
  readonly read: ReadPath;
  readonly write: WritePath;
  readonly ephemeral: EphemeralPath;
  readonly batch: BatchPath;
  readonly forgetter: Forgetter;
  readonly embedding: RecallEmbedder;
}

export type Lifecycle = "new" | "ready" | "closed";

/** The one place that knows whether the memory may be used. All namespaces of a manager share it. */
export class Runtime {
  /** Undefined before `initialize` and after `close`. Read directly on the hot path only. */
  live: Parts | undefined;
  lifecycle: Lifecycle = "new";
  /** Knows what this server read lately, whichever namespace it was of. */
  readonly agents: AgentMemory = new AgentMemory();
  /** Known before the parts are, so that namespaces can be named at any time. */
  readonly limits: Limits;

  constructor(limits: Limits) {
    this.limits = limits;
  }

  /** Refuses work before `initialize` and after `close`. */
  get parts(): Parts {
    if (this.live !== undefined) return this.live;
    throw this.lifecycle === "closed"
      ? new MemoryError("CLOSED", "the memory is closed; make a new one")
      : new MemoryError("NOT_INITIALIZED", "the memory is not ready; await initialize() first");
  }
}
