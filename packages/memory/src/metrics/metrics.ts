import type { MemoryTier } from "../model/item.ts";
import type { EmbeddingMetrics } from "./embedding-metrics.ts";

/** What is timed and counted, by tier. */
export type TierOperation = "get" | "set" | "delete" | "search" | "batch" | "scan";

export type MoveDirection = "promote" | "demote";

export type MoveReason = "read" | "hint" | "pressure" | "expired" | "write" | "invalidated";

export interface IndexedStep {
  readonly lagChanges: number;
  readonly lagSeconds: number;
  readonly changes: number;
  readonly documents: number;
}

/**
 * Where the library reports to. Implementations must be cheap and must not throw.
 * Hits of in-process tiers are pulled through `TierUsage`, not pushed: a call on each hit would
 * cost as much as the hit.
 */
export interface Metrics extends EmbeddingMetrics {
  latency(tier: MemoryTier, operation: TierOperation, latencyMs: number): void;
  error(tier: MemoryTier, operation: TierOperation, code: string): void;
  retry(tier: MemoryTier, operation: TierOperation): void;
  move(from: MemoryTier, to: MemoryTier, direction: MoveDirection, reason: MoveReason): void;
  breaker(tier: MemoryTier, state: "closed" | "half-open" | "open"): void;
  /** How far an index is behind the change log, and what the last step brought it. */
  indexed(index: string, step: IndexedStep): void;
}

export const noMetrics: Metrics = {
  latency: () => {},
  error: () => {},
  retry: () => {},
  move: () => {},
  breaker: () => {},
  indexed: () => {},
  embedded: () => {},
  embeddingFailed: () => {},
  embeddingCache: () => {},
};
