import type { Clock } from "../model/clock.ts";
import type { ItemRef } from "../model/item.ts";
import { refId } from "../tiers/tier.ts";

export interface Access {
  readonly count: number;
  readonly atMs: number;
}

const KEYS_MAX = 16_384;
/** One in so many hits of decoded objects is recorded, for all of them: a record costs more than the hit. */
const HOT_SAMPLE = 16;

/**
 * How often and when items were read on this server: estimates for people and for placement.
 * Bounded by forgetting the key not read for longest (a Map iterates in insertion order).
 */
export class AccessLog {
  readonly #clock: Clock;
  readonly #keysMax: number;
  readonly #accesses = new Map<string, { count: number; atMs: number }>();
  #hotHits = 0;

  constructor(clock: Clock, keysMax: number = KEYS_MAX) {
    this.#clock = clock;
    this.#keysMax = keysMax;
  }

  record(ref: ItemRef, count = 1): Access {
    const id = refId(ref);
    const access = this.#accesses.get(id) ?? { count: 0, atMs: 0 };
    access.count += count;
    access.atMs = this.#clock.wallMs();
    this.#accesses.delete(id);
    this.#accesses.set(id, access);
    if (this.#accesses.size > this.#keysMax) {
      const oldest = this.#accesses.keys().next();
      if (oldest.done !== true) this.#accesses.delete(oldest.value);
    }
    return access;
  }

  /** A hit on the hot path: sampled. */
  recordHot(ref: ItemRef): void {
    this.#hotHits += 1;
    if (this.#hotHits < HOT_SAMPLE) return;
    this.#hotHits = 0;
    this.record(ref, HOT_SAMPLE);
  }

  read(ref: ItemRef): Access | undefined {
    return this.#accesses.get(refId(ref));
  }
}
