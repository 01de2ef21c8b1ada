import type { Turn } from "./turn.ts";

/** How often each term of interest occurs in each turn: one pass over the words of all turns. */
export interface TermTable {
  readonly terms: readonly string[];
  /** Per term, per turn. */
  readonly counts: readonly Float64Array[];
  readonly lengths: Float64Array;
}

export function countTerms(turns: readonly Turn[], terms: Iterable<string>): TermTable {
  const slots = new Map<string, number>();
  for (const term of terms) if (!slots.has(term)) slots.set(term, slots.size);
  const counts = [...slots].map(() => new Float64Array(turns.length));
  const lengths = new Float64Array(turns.length);
  turns.forEach(({ features }, index) => {
    lengths[index] = features.terms.length;
    for (const term of features.terms) {
      const slot = slots.get(term);
      const row = slot === undefined ? undefined : counts[slot];
      if (row !== undefined) row[index] = (row[index] ?? 0) + 1;
    }
  });
  return { terms: [...slots.keys()], counts, lengths };
}

export function holders(row: Float64Array): number {
  let held = 0;
  for (const count of row) if (count > 0) held += 1;
  return held;
}
