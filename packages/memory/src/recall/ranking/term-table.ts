import type { Turn } from "./turn.ts";

/** How often each term of interest occurs in each text. */
export interface TermTable {
  /** Per term, in the order asked for, per text. */
  readonly counts: readonly Float64Array[];
  /** Per text: all its terms. */
  readonly lengths: Float64Array;
}

/** One pass over the words of all turns, however many terms are asked for. */
export function countTerms(turns: readonly Turn[], terms: readonly string[]): TermTable {
  const slots = new Map(terms.map((term, slot) => [term, slot]));
  const counts = terms.map(() => new Float64Array(turns.length));
  const lengths = new Float64Array(turns.length);
  turns.forEach(({ features }, index) => {
    lengths[index] = features.terms.length;
    for (const term of features.terms) {
      const slot = slots.get(term);
      const row = slot === undefined ? undefined : counts[slot];
      if (row !== undefined) row[index] = (row[index] ?? 0) + 1;
    }
  });
  return { counts, lengths };
}

export function holders(row: Float64Array): number {
  let held = 0;
  for (const count of row) if (count > 0) held += 1;
  return held;
}
