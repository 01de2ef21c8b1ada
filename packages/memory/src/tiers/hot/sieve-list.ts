import type { ObjectRecord } from "../../model/item.ts";

/** One record in the list, with what the tier needs to find it again. */
export interface SieveEntry {
  record: ObjectRecord;
  bytes: number;
  /** Read since the hand last passed. Setting it is all that a hit costs. */
  visited: boolean;
  newer: SieveEntry | undefined;
  older: SieveEntry | undefined;
}

/**
 * Entries in order of arrival with a hand that walks from the oldest to the newest (SIEVE, NSDI '24):
 * an entry read since the hand last passed is spared once and stays where it is, the first that was
 * not is the victim. Hits move nothing, which is why it was taken instead of LRU.
 */
export class SieveList {
  #newest: SieveEntry | undefined;
  #oldest: SieveEntry | undefined;
  #hand: SieveEntry | undefined;

  get oldest(): SieveEntry | undefined {
    return this.#oldest;
  }

  add(entry: SieveEntry): void {
    entry.older = this.#newest;
    entry.newer = undefined;
    if (this.#newest === undefined) this.#oldest = entry;
    else this.#newest.newer = entry;
    this.#newest = entry;
  }

  remove(entry: SieveEntry): void {
    if (this.#hand === entry) this.#hand = entry.newer;
    if (entry.newer === undefined) this.#newest = entry.older;
    else entry.newer.older = entry.older;
    if (entry.older === undefined) this.#oldest = entry.newer;
    else entry.older.newer = entry.newer;
    entry.newer = undefined;
    entry.older = undefined;
  }

  /** The entry to let go of next; undefined when there is none. Ends: each step clears a mark. */
  victim(): SieveEntry | undefined {
    let at = this.#hand ?? this.#oldest;
    while (at?.visited === true) {
      at.visited = false;
      at = at.newer ?? this.#oldest;
    }
    this.#hand = at;
    return at;
  }

  clear(): void {
    this.#newest = undefined;
    this.#oldest = undefined;
    this.#hand = undefined;
  }
}
