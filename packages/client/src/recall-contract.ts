import type { JsonObject, Receipt, SearchMode, SearchResponse } from "./contract.ts";

/** Body of `POST …/remember`. Times: `2026-05-08`, `2026-05-08T13:56:00Z`. */
export interface RememberRequest {
  /** The same id again is an update. Default: the same words by the same speaker are counted. */
  readonly id?: string;
  readonly sessionId?: string;
  readonly text: string;
  readonly speaker?: string;
  /** When it was said or happened. Default: now. */
  readonly at?: string;
  readonly metadata?: JsonObject;
  /** 0 to 1. */
  readonly importance?: number;
  readonly pinned?: boolean;
  readonly validFrom?: string;
  /** Ids of memories that hold no more from then on. */
  readonly supersedes?: string | readonly string[];
  readonly ttlSeconds?: number;
}

export interface RememberReceipt extends Receipt {
  readonly id: string;
  readonly duplicateOf?: string;
}

/** Body of `POST …/recall`. */
export interface RecallRequest {
  readonly query: string;
  readonly sessionId?: string;
  readonly limit?: number;
  /** What held then. Default: what holds now. */
  readonly asOf?: string;
  readonly from?: string;
  readonly to?: string;
  /** Turns before and after each hit. */
  readonly neighbours?: number;
  /** Of `context`, as estimated. */
  readonly tokenBudget?: number;
  readonly mode?: SearchMode;
  readonly explain?: boolean;
}

export interface RecalledMemory {
  readonly id: string;
  readonly version: string;
  readonly metadata: JsonObject;
  readonly text: string;
  readonly speaker?: string;
  readonly sessionId?: string;
  readonly at: string;
  readonly importance?: number;
  readonly pinned?: true;
  readonly validFrom?: string;
  readonly validTo?: string;
  readonly supersededBy?: string;
  readonly supersedes?: readonly string[];
  /** How often it was said. */
  readonly count: number;
  readonly duplicateOf?: string;
}

export interface RecalledItem extends RecalledMemory {
  readonly score: number;
  readonly neighbours: readonly RecalledMemory[];
  /** With `explain`: what each signal adds to the score. */
  readonly signals?: { readonly [name: string]: number };
}

export interface RecallResponse {
  /** Best first. */
  readonly items: readonly RecalledItem[];
  /** Ready for a prompt, a line a turn, in order of time. */
  readonly context: string;
  readonly tokens: number;
  /** Why it was not searched as asked. */
  readonly degraded?: string;
  readonly indexLag?: SearchResponse["indexLag"];
}

/** Body of `POST …/feedback`. */
export interface FeedbackRequest {
  readonly query: string;
  readonly relevant: readonly string[];
}
