import type { Clock } from "../model/clock.ts";
import type { ItemRef } from "../model/item.ts";
import type { AppliedPoll } from "./follower.ts";
import { horizonOf } from "./horizon.ts";
import type { Horizon } from "./horizon.ts";
import type { ItemHash } from "./item-hash.ts";

const FILLS_MAX = 32_768;
const GENERATIONS = 3;
/** A generation lasts this share of the bound, so that the covered place is that old at least: by then
 * every server that follows the log has passed it, and no session need wait for one that has not. */
const GENERATION_SHARE = 0.5;

interface Generation {
  readonly hashes: Set<number>;
  /** More was filled than is remembered. */
  isFull: boolean;
}

export interface RecentFillsOptions {
  readonly hash: ItemHash;
  readonly clock: Clock;
  /** The staleness bound. */
  readonly boundMs: number;
  readonly fillsMax?: number;
}

/**
 * Which items may have a copy here that is newer than a certain place in the log: those that were
 * filled or written since. Whoever saw any other copy has seen nothing beyond that place, so that one
 * floor speaks for all of them.
 *
 * A generation begins when a poll is applied. The covered poll is the one that began the generation
 * before the newest; it was sent while the oldest of three was the newest, so these three hold every
 * fill since. All is bounded: 3 × 32,768 hashes; a full generation stands for every item.
 */
export class RecentFills {
  readonly #options: RecentFillsOptions;
  readonly #fillsMax: number;
  #generations: Generation[] = [newGeneration()];
  #beganAtMs = 0;
  #newest: AppliedPoll | undefined;
  #covered: { readonly poll: AppliedPoll; readonly horizon: Horizon } | undefined;

  constructor(options: RecentFillsOptions) {
    this.#options = options;
    this.#fillsMax = options.fillsMax ?? FILLS_MAX;
  }

  /** What every copy shows whose item is not `has`. Undefined: nothing is known yet. */
  get covered(): Horizon | undefined {
    return this.#covered?.horizon;
  }

  /** A copy is made now, or may be. Before it can be seen. */
  record(ref: ItemRef, hash: number = this.#options.hash.of(ref)): void {
    const [newest] = this.#generations;
    if (newest === undefined || newest.isFull) return;
    newest.hashes.add(hash);
    newest.isFull = newest.hashes.size >= this.#fillsMax;
  }

  /** Whether a copy of this item may show more than what is covered. */
  has(ref: ItemRef): boolean {
    if (this.#covered === undefined) return true;
    let hash: number | undefined;
    for (const { hashes, isFull } of this.#generations) {
      if (isFull) return true;
      if (hashes.size === 0) continue;
      hash ??= this.#options.hash.of(ref);
      if (hashes.has(hash)) return true;
    }
    return false;
  }

  /** A poll of the log was applied. */
  applied(poll: AppliedPoll): void {
    const { clock, boundMs } = this.#options;
    if (poll.epoch !== this.#newest?.epoch) {
      // Its places are another history's. What was filled before may still be on its way to a reader.
      this.#newest = poll;
      this.#cover(poll);
      this.#beganAtMs = clock.monotonicMs();
      return;
    }
    if (poll.sentAtMs < this.#beganAtMs + boundMs * GENERATION_SHARE) return;
    this.#cover(this.#newest);
    this.#newest = poll;
    this.#beganAtMs = clock.monotonicMs();
    this.#generations = [newGeneration(), ...this.#generations].slice(0, GENERATIONS);
  }

  #cover(poll: AppliedPoll): void {
    if (this.#covered?.poll !== poll) this.#covered = { poll, horizon: horizonOf(poll.snapshot) };
  }
}

function newGeneration(): Generation {
  return { hashes: new Set(), isFull: false };
}
