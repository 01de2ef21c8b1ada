import type { JsonObject, Receipt } from "../../model/item.ts";
import type { IndexLag } from "../../tiers/keyword.ts";
import type { MemoryFields } from "../../recall/memory-item.ts";

/** A day (UTC) or a moment with its zone, ISO 8601: `2026-05-08`, `2026-05-08T13:56:00Z`. */
export type WorldTime = string | Date;

export interface RememberOptions {
  /**
   * The key of its item. The same id again is an update: what is not given stays. Default: made of
   * session, speaker and text, so that what is said again is one memory, counted.
   */
  readonly id?: string;
  readonly sessionId?: string;
  /** Of it the first 8 KB are searched. */
  readonly text: string;
  readonly speaker?: string;
  /** When it was said or happened. Default: now. */
  readonly at?: WorldTime;
  readonly metadata?: JsonObject;
  /** 0 to 1. */
  readonly importance?: number;
  /** Never forgotten by a policy. */
  readonly pinned?: boolean;
  /** From when on it holds in the world. Default: `at`. */
  readonly validFrom?: WorldTime;
  /** Ids of memories that hold no more from then on. They are kept until they are forgotten. */
  readonly supersedes?: string | readonly string[];
  /** Working memory: gone after that. What is remembered again without it becomes lasting. */
  readonly ttlSeconds?: number;
}

export interface RememberReceipt extends Receipt {
  readonly id: string;
  /** An earlier memory that says the same in other words. Both are kept. */
  readonly duplicateOf?: string;
}

export interface RecallOptions {
  /** Words of the question, at most 8 KB. */
  readonly query: string;
  /** Only of this session. */
  readonly sessionId?: string;
  /** @default 10 */
  readonly limit?: number;
  /** What held then, as far as it had been said. Default: what holds now. */
  readonly asOf?: WorldTime;
  /** Said or happened at or after. */
  readonly from?: WorldTime;
  /** Before. */
  readonly to?: WorldTime;
  /** Turns before and after each hit that come with it and into `context`, 0 to 10. @default 1 */
  readonly neighbours?: number;
  /** Of `context`, as estimated. @default 2000 */
  readonly tokenBudget?: number;
  /** By words; CAPABILITY_UNAVAILABLE where meaning is asked for and no tier knows it. @default "keyword" */
  readonly mode?: "keyword" | "semantic" | "hybrid";
  /** Says with each item what every signal adds to its score. */
  readonly explain?: boolean;
}

/** Which items of the namespace answer a question: what the ranking can be fitted to. */
export interface Feedback {
  /** As it was or would be searched for. */
  readonly query: string;
  /** 1 to 100 keys. */
  readonly relevant: readonly string[];
}

/** A memory as it is recalled. */
export interface RecalledMemory extends Omit<MemoryFields, "order"> {
  readonly id: string;
  readonly version: string;
  readonly metadata: JsonObject;
}

export interface RecalledItem extends RecalledMemory {
  /** Comparable within one answer only. */
  readonly score: number;
  /** The turns around it in its session, in order. */
  readonly neighbours: readonly RecalledMemory[];
  /** With `explain`: what each named signal adds to the score. */
  readonly signals?: { readonly [name: string]: number };
}

export interface RecallAnswer {
  /** Best first. */
  readonly items: readonly RecalledItem[];
  /** Of the items and the turns around them, in order of time: ready for a prompt. */
  readonly context: string;
  /** Of `context`, estimated: never above the budget. */
  readonly tokens: number;
  /** Why it was not searched as asked. */
  readonly degraded?: string;
  /** What it may lack: the index was further behind than is read at once. */
  readonly indexLag?: IndexLag;
}

/** What agents do with a namespace beside what everybody does. */
export interface Recalling {
  /** Keeps what was said or learnt as an item of its own; the same again is counted. */
  remember(options: RememberOptions): Promise<RememberReceipt>;
  /** The memories of exactly this namespace that answer a question, and a context for a prompt. */
  recall(options: RecallOptions): Promise<RecallAnswer>;
  /** Says which items answer a question. Kept until the namespace is cleared. */
  feedback(feedback: Feedback): Promise<Receipt>;
}
