/**
 * The score of a text by its words, as every backend computes it. Plain: no signal of the ranker
 * is in it, so that a small reference can check it.
 *
 *   Σ over distinct query terms  idf · tf (k1 + 1) / (tf + k1 (1 − b + b · length / averageLength))
 *   idf = ln(1 + (N − n + 0.5) / (n + 0.5))
 */

/** How soon repeating a word stops to count. */
export const BM25_K1 = 0.9;
/** How much a long text is held against it. */
export const BM25_B = 0.4;

/** Of exactly the live items of the namespaces searched. */
export interface CollectionStatistics {
  /** N: live items that are in the text index. */
  readonly documents: number;
  /** Terms an item has on average, duplicates counted; 0 where there are none. */
  readonly averageLength: number;
}

export function inverseDocumentFrequency(documents: number, documentsWithTerm: number): number {
  return Math.log(1 + (documents - documentsWithTerm + 0.5) / (documentsWithTerm + 0.5));
}

/** What one term adds, before its idf: 0 for no occurrence, below k1 + 1 for any number. */
export function termWeight(occurrences: number, length: number, averageLength: number): number {
  if (occurrences <= 0) return 0;
  const relativeLength = averageLength > 0 ? length / averageLength : 1;
  const damping = BM25_K1 * (1 - BM25_B + BM25_B * relativeLength);
  return (occurrences * (BM25_K1 + 1)) / (occurrences + damping);
}
