/** Bytes a slot: its two neighbours. */
export const SLOT_LIST_BYTES = 8;

/**
 * Doubly linked lists of slots in typed arrays; a slot is in at most one. Each list is a ring through
 * a sentinel behind the last slot, so that a slot can leave without saying which list it is in.
 */
export class SlotLists {
  readonly #slotsMax: number;
  readonly #lists: number;
  readonly #previous: Uint32Array;
  readonly #next: Uint32Array;

  constructor(slotsMax: number, lists: number) {
    this.#slotsMax = slotsMax;
    this.#lists = lists;
    // The memory of slots never used is never touched, so the system never gives it.
    this.#previous = new Uint32Array(slotsMax + lists);
    this.#next = new Uint32Array(slotsMax + lists);
    this.clear();
  }

  append(list: number, slot: number): void {
    const sentinel = this.#slotsMax + list;
    const last = this.#at(this.#previous, sentinel);
    this.#join(last, slot);
    this.#join(slot, sentinel);
  }

  remove(slot: number): void {
    this.#join(this.#at(this.#previous, slot), this.#at(this.#next, slot));
  }

  /** The slot appended longest ago; -1 when the list is empty. */
  first(list: number): number {
    const first = this.#at(this.#next, this.#slotsMax + list);
    return first < this.#slotsMax ? first : -1;
  }

  /** Moves all of one list before all of another, in order. */
  moveBefore(source: number, target: number): void {
    if (this.first(source) < 0) return;
    const from = this.#slotsMax + source;
    const to = this.#slotsMax + target;
    const first = this.#at(this.#next, from);
    const last = this.#at(this.#previous, from);
    this.#join(last, this.#at(this.#next, to));
    this.#join(to, first);
    this.#join(from, from);
  }

  clear(): void {
    for (let list = 0; list < this.#lists; list += 1)
      this.#join(this.#slotsMax + list, this.#slotsMax + list);
  }

  #join(left: number, right: number): void {
    this.#next[left] = right;
    this.#previous[right] = left;
  }

  #at(links: Uint32Array, slot: number): number {
    return links[slot] ?? this.#slotsMax;
  }
}
