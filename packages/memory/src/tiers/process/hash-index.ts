/** Tells whether the slot holds the key that is looked for. */
export interface KeyMatcher {
  matches(slot: number, namespaceId: number, key: string): boolean;
}

const CAPACITY_MIN = 1024;
const LOAD_MAX = 0.75;
/** Old places moved at each insertion and removal while the table grows. */
const MOVES_PER_CHANGE = 16;
const EMPTY = 0;
/** Just grown: 4 bytes a place at 3/8 full, and the old table at 3/4 until it is moved. */
export const INDEX_BYTES_PER_SLOT = 16;

/**
 * From the hash of a key to its slot: open addressing, one u32 a place that holds the slot and, in
 * the bits left over, a part of the hash that spares most comparisons. It grows a few places at a
 * time, so that no single insertion pays for moving a million.
 */
export class HashIndex {
  readonly #hashes: Uint32Array;
  readonly #matcher: KeyMatcher;
  readonly #slotMask: number;
  #places: Uint32Array = new Uint32Array(CAPACITY_MIN);
  /** The table before the last growth, until all of it is moved. */
  #old: Uint32Array | undefined;
  #moved = 0;
  #count = 0;

  /** `hashes` gives the hash of each filled slot. */
  constructor(hashes: Uint32Array, matcher: KeyMatcher) {
    this.#hashes = hashes;
    this.#matcher = matcher;
    // Two more than slots: 0 is an empty place, all ones a vacated one.
    this.#slotMask = 2 ** Math.ceil(Math.log2(hashes.length + 3)) - 1;
  }

  /** The slot of the key; -1 when it has none. */
  find(hash: number, namespaceId: number, key: string): number {
    const slot = this.#findIn(this.#places, hash, namespaceId, key);
    if (slot >= 0 || this.#old === undefined) return slot;
    return this.#findIn(this.#old, hash, namespaceId, key);
  }

  insert(slot: number): void {
    this.#count += 1;
    if (this.#count > this.#places.length * LOAD_MAX) this.#grow();
    this.#moveSome(MOVES_PER_CHANGE);
    this.#put(slot);
  }

  remove(slot: number): void {
    this.#count -= 1;
    this.#moveSome(MOVES_PER_CHANGE);
    const place = this.#placeOf(this.#places, slot);
    if (place >= 0) this.#close(place);
    else if (this.#old !== undefined) {
      const oldPlace = this.#placeOf(this.#old, slot);
      if (oldPlace >= 0) this.#old[oldPlace] = this.#slotMask;
    }
  }

  clear(): void {
    this.#places = new Uint32Array(CAPACITY_MIN);
    this.#old = undefined;
    this.#count = 0;
  }

  #findIn(places: Uint32Array, hash: number, namespaceId: number, key: string): number {
    const slotMask = this.#slotMask;
    const placeMask = places.length - 1;
    for (let place = hash & placeMask; ; place = (place + 1) & placeMask) {
      const entry = places[place] ?? EMPTY;
      if (entry === EMPTY) return -1;
      if (((entry ^ hash) & ~slotMask) !== 0) continue;
      const slot = (entry & slotMask) - 1;
      if (this.#hashes[slot] === hash && this.#matcher.matches(slot, namespaceId, key)) return slot;
    }
  }

  #placeOf(places: Uint32Array, slot: number): number {
    const wanted = this.#entryOf(slot);
    const placeMask = places.length - 1;
    for (let place = this.#hashOf(slot) & placeMask; ; place = (place + 1) & placeMask) {
      const entry = places[place] ?? EMPTY;
      if (entry === wanted) return place;
      if (entry === EMPTY) return -1;
    }
  }

  #put(slot: number): void {
    const places = this.#places;
    const placeMask = places.length - 1;
    let place = this.#hashOf(slot) & placeMask;
    while (places[place] !== EMPTY) place = (place + 1) & placeMask;
    places[place] = this.#entryOf(slot);
  }

  /** Empties a place of the current table and pulls back what a search would otherwise miss. */
  #close(place: number): void {
    const places = this.#places;
    const placeMask = places.length - 1;
    let hole = place;
    for (let at = (hole + 1) & placeMask; ; at = (at + 1) & placeMask) {
      const entry = places[at] ?? EMPTY;
      if (entry === EMPTY) break;
      const home = this.#hashOf((entry & this.#slotMask) - 1) & placeMask;
      // It may move back only if its home is not behind the hole.
      if (((at - home) & placeMask) < ((at - hole) & placeMask)) continue;
      places[hole] = entry;
      hole = at;
    }
    places[hole] = EMPTY;
  }

  #grow(): void {
    this.#moveSome(Number.POSITIVE_INFINITY);
    this.#old = this.#places;
    this.#moved = 0;
    this.#places = new Uint32Array(this.#places.length * 2);
  }

  #moveSome(placesMax: number): void {
    const old = this.#old;
    if (old === undefined) return;
    const end = Math.min(this.#moved + placesMax, old.length);
    for (; this.#moved < end; this.#moved += 1) {
      const entry = old[this.#moved] ?? EMPTY;
      if (entry === EMPTY || entry === this.#slotMask) continue;
      // Vacated, not empty: what was placed behind it must still be found.
      old[this.#moved] = this.#slotMask;
      this.#put((entry & this.#slotMask) - 1);
    }
    if (this.#moved === old.length) this.#old = undefined;
  }

  #entryOf(slot: number): number {
    return ((this.#hashOf(slot) & ~this.#slotMask) | (slot + 1)) >>> 0;
  }

  #hashOf(slot: number): number {
    return this.#hashes[slot] ?? 0;
  }
}
