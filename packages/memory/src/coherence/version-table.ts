const SLOTS_MIN = 256;
/** Slots an entry, so that a look-up for what is not there ends soon. */
const SLOTS_AN_ENTRY = 2;
const WORDS_A_SLOT = 2;

/**
 * The greatest number seen for each hash, in one array of doubles: a `Map` takes four times the memory
 * and leaves a million objects to the collector. Grows by doubling up to twice `entriesMax`.
 */
export class VersionTable {
  readonly #slotsMax: number;
  /** Hash and version by turns; a version of 0 is a free slot. */
  #words: Float64Array;
  #size = 0;

  constructor(entriesMax: number) {
    let slots = SLOTS_MIN;
    while (slots < entriesMax * SLOTS_AN_ENTRY) slots *= 2;
    this.#slotsMax = slots;
    this.#words = new Float64Array(SLOTS_MIN * WORDS_A_SLOT);
  }

  get size(): number {
    return this.#size;
  }

  /** 0 when the hash is not here. */
  find(hash: number): number {
    return this.#words[this.#slotOf(hash) + 1] ?? 0;
  }

  /** `hash`: a whole number below 2^53; `version` above 0. The caller keeps to `entriesMax`. */
  raise(hash: number, version: number): void {
    let slot = this.#slotOf(hash);
    const known = this.#words[slot + 1] ?? 0;
    if (known === 0) {
      if (this.#isHalfFull() && this.#grow()) slot = this.#slotOf(hash);
      this.#size += 1;
    }
    if (version <= known) return;
    this.#words[slot] = hash;
    this.#words[slot + 1] = version;
  }

  #isHalfFull(): boolean {
    return (this.#size + 1) * SLOTS_AN_ENTRY * WORDS_A_SLOT > this.#words.length;
  }

  /** Where this hash is, or the free slot where it belongs: linear probing. */
  #slotOf(hash: number): number {
    const words = this.#words;
    const mask = words.length - 1;
    let slot = ((hash >>> 0) * WORDS_A_SLOT) & mask;
    while (words[slot + 1] !== 0 && words[slot] !== hash) slot = (slot + WORDS_A_SLOT) & mask;
    return slot;
  }

  #grow(): boolean {
    const old = this.#words;
    if (old.length >= this.#slotsMax * WORDS_A_SLOT) return false;
    this.#words = new Float64Array(old.length * 2);
    for (let slot = 0; slot < old.length; slot += WORDS_A_SLOT) {
      const version = old[slot + 1] ?? 0;
      if (version === 0) continue;
      const target = this.#slotOf(old[slot] ?? 0);
      this.#words[target] = old[slot] ?? 0;
      this.#words[target + 1] = version;
    }
    return true;
  }
}
