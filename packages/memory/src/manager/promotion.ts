const CELLS = 65_536;
/** After so many sightings all are halved, so that what was hot last week does not stay hot. */
const SIGHTINGS_MAX = 131_072;
const COUNT_MAX = 255;
/** Knuth's multiplicative hash constant, 2^32 / golden ratio. */
const SPREAD = 2_654_435_761;

/**
 * Decides when a byte copy earns a place among the decoded objects: at its second hit.
 * Versions are unique over all items (one sequence), so they index the table and no key is hashed.
 */
export class Doorkeeper {
  readonly #counts = new Uint8Array(CELLS);
  readonly #hits: number;
  #sightings = 0;

  constructor(hits = 2) {
    this.#hits = hits;
  }

  admits(version: number): boolean {
    const cell = (Math.imul(version, SPREAD) >>> 16) & (CELLS - 1);
    const count = Math.min((this.#counts[cell] ?? 0) + 1, COUNT_MAX);
    this.#counts[cell] = count;
    this.#sightings += 1;
    if (this.#sightings >= SIGHTINGS_MAX) this.#halve();
    return count >= this.#hits;
  }

  #halve(): void {
    this.#sightings = 0;
    for (let cell = 0; cell < CELLS; cell += 1)
      this.#counts[cell] = (this.#counts[cell] ?? 0) >>> 1;
  }
}
