import type { Clock } from "../model/clock.ts";
import type { ItemRef, MemoryTier } from "../model/item.ts";
import type { Metrics, MoveDirection, MoveReason } from "../metrics/metrics.ts";

export interface Move extends ItemRef {
  readonly atMs: number;
  readonly from: MemoryTier;
  readonly to: MemoryTier;
  readonly direction: MoveDirection;
  readonly reason: MoveReason;
}

const MOVES_KEPT = 1024;

/** Counts every move between tiers and keeps the last ones, for `explain`. */
export class MoveLog {
  readonly #clock: Clock;
  readonly #metrics: Metrics;
  readonly #recent: Move[] = [];
  #next = 0;
  promoted = 0;
  demoted = 0;

  constructor(clock: Clock, metrics: Metrics) {
    this.#clock = clock;
    this.#metrics = metrics;
  }

  record(ref: ItemRef, move: Pick<Move, "from" | "to" | "direction" | "reason">): void {
    if (move.direction === "promote") this.promoted += 1;
    else this.demoted += 1;
    this.#metrics.move(move.from, move.to, move.direction, move.reason);
    this.#recent[this.#next] = {
      ...move,
      namespace: ref.namespace,
      key: ref.key,
      atMs: this.#clock.wallMs(),
    };
    this.#next = (this.#next + 1) % MOVES_KEPT;
  }

  /** Moves of one item that are still remembered, oldest first. */
  of(ref: ItemRef): readonly Move[] {
    const ordered = [...this.#recent.slice(this.#next), ...this.#recent.slice(0, this.#next)];
    return ordered.filter((m) => m.key === ref.key && m.namespace === ref.namespace);
  }
}
