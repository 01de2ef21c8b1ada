import type { EvictionPolicy } from "./policy.ts";
import { SLOT_LIST_BYTES, SlotLists } from "./slot-lists.ts";

/** Levels of frequency: a slot at level n above the base was hit about 2^n times. */
const LEVELS = 8;
/**
 * All frequencies are halved after this many hits and arrivals for each item held. Arrivals count
 * too: where everything read is new, old favourites that nobody asks for must fade all the same.
 */
const USES_PER_ITEM_UNTIL_AGING = 8;
const COUNT_BYTES = 2;
const LEVEL_BYTES = 4;
const COUNT_MAX = 0xffff;

/**
 * Lets go of what was read least often of late; of several, of what was not read for longest.
 * Frequencies are kept as powers of two, one list each, so that every operation takes constant
 * time. Aging halves all of them by raising the base: the two lowest lists are joined and nothing
 * is visited.
 */
export class LfuPolicy implements EvictionPolicy {
  readonly bytesPerSlot: number = SLOT_LIST_BYTES + COUNT_BYTES + LEVEL_BYTES;
  readonly #slots: SlotLists;
  /** Absolute level; below the base it counts as the base. */
  readonly #levels: Uint32Array;
  /** Hits since the slot came to its level. */
  readonly #counts: Uint16Array;
  #base = 0;
  #uses = 0;
  #items = 0;

  constructor(slotsMax: number) {
    this.#slots = new SlotLists(slotsMax, LEVELS);
    this.#levels = new Uint32Array(slotsMax);
    this.#counts = new Uint16Array(slotsMax);
  }

  inserted(slot: number): void {
    this.#items += 1;
    this.#counts[slot] = 0;
    this.#place(slot, this.#base);
    this.#use();
  }

  hit(slot: number): void {
    this.#slots.remove(slot);
    const level = Math.max(this.#levels[slot] ?? 0, this.#base);
    const count = Math.min((this.#counts[slot] ?? 0) + 1, COUNT_MAX);
    const rises = count >= 2 ** (level - this.#base) && level < this.#base + LEVELS - 1;
    this.#counts[slot] = rises ? 0 : count;
    this.#place(slot, rises ? level + 1 : level);
    this.#use();
  }

  removed(slot: number): void {
    this.#items -= 1;
    this.#slots.remove(slot);
  }

  victim(): number {
    for (let level = this.#base; level < this.#base + LEVELS; level += 1) {
      const slot = this.#slots.first(level % LEVELS);
      if (slot >= 0) return slot;
    }
    return -1;
  }

  clear(): void {
    this.#slots.clear();
    this.#items = 0;
    this.#uses = 0;
  }

  #place(slot: number, level: number): void {
    this.#levels[slot] = level;
    this.#slots.append(level % LEVELS, slot);
  }

  #use(): void {
    this.#uses += 1;
    if (this.#uses < this.#items * USES_PER_ITEM_UNTIL_AGING) return;
    this.#uses = 0;
    this.#slots.moveBefore(this.#base % LEVELS, (this.#base + 1) % LEVELS);
    this.#base += 1;
  }
}
