import type { Clock } from "../model/clock.ts";
import type { ItemRef } from "../model/item.ts";

export interface Access {
  readonly count: number;
  readonly atMs: number;
}

const KEYS_MAX = 16_384;
/** One in so many hits of decoded objects is recorded, for all of them: a record costs more than the hit. */
const HOT_SAMPLE = 64;

interface Counter {
  count: number;
  atMs: number;
}

/**
 * How often and when items were read on this server: estimates for people and for placement.
 *
 * Bounded by generations: new keys go into the young one; when it holds half the bound, it becomes
 * the old one and what nobody read since is forgotten. Moving each key to the end of one map at
 * each read, and joining namespace and key to one string, cost more than a hit (240 ns to 40 ns).
 */
export class AccessLog {
  readonly #clock: Clock;
  readonly #generationKeysMax: number;
  #young = new Map<string, Map<string, Counter>>();
  #old = new Map<string, Map<string, Counter>>();
  #youngKeys = 0;
  #hotHits = 0;

  constructor(clock: Clock, keysMax: number = KEYS_MAX) {
    this.#clock = clock;
    this.#generationKeysMax = Math.max(1, Math.floor(keysMax / 2));
  }

  record(ref: ItemRef, count = 1, atMs: number = this.#clock.wallMs()): Access {
    const counter = this.#young.get(ref.namespace)?.get(ref.key) ?? this.#enter(ref);
    counter.count += count;
    counter.atMs = atMs;
    return counter;
  }

  /** Of one moment. */
  recordAll(refs: readonly ItemRef[]): void {
    const atMs = this.#clock.wallMs();
    for (const ref of refs) this.record(ref, 1, atMs);
  }

  /** A hit on the hot path: sampled. */
  recordHot(ref: ItemRef): void {
    this.#hotHits += 1;
    if (this.#hotHits < HOT_SAMPLE) return;
    this.#hotHits = 0;
    this.record(ref, HOT_SAMPLE);
  }

  read(ref: ItemRef): Access | undefined {
    return (
      this.#young.get(ref.namespace)?.get(ref.key) ?? this.#old.get(ref.namespace)?.get(ref.key)
    );
  }

  /** Makes the key young, with the count it had when it was old. */
  #enter({ namespace, key }: ItemRef): Counter {
    if (this.#youngKeys >= this.#generationKeysMax) {
      this.#old = this.#young;
      this.#young = new Map();
      this.#youngKeys = 0;
    }
    const counter = this.#old.get(namespace)?.get(key) ?? { count: 0, atMs: 0 };
    const counters = this.#young.get(namespace);
    if (counters === undefined) this.#young.set(namespace, new Map([[key, counter]]));
    else counters.set(key, counter);
    this.#youngKeys += 1;
    return counter;
  }
}
