import { inverseDocumentFrequency, termWeight } from "./bm25.ts";

export interface ScoredDocument {
  readonly id: string;
  /** Of the analyser, in any order, duplicates kept. */
  readonly terms: readonly string[];
}

/** Every document that holds a query term, by the formula and nothing else: what backends are compared with. */
export function referenceScores(
  documents: readonly ScoredDocument[],
  queryTerms: readonly string[],
): Map<string, number> {
  const lengths = documents.map((document) => document.terms.length);
  const averageLength =
    documents.length === 0 ? 0 : lengths.reduce((sum, each) => sum + each, 0) / documents.length;
  const scores = new Map<string, number>();
  for (const term of new Set(queryTerms)) {
    const holders = documents.filter((document) => document.terms.includes(term));
    const idf = inverseDocumentFrequency(documents.length, holders.length);
    for (const { id, terms } of holders) {
      const occurrences = terms.filter((each) => each === term).length;
      const score = idf * termWeight(occurrences, terms.length, averageLength);
      scores.set(id, (scores.get(id) ?? 0) + score);
    }
  }
  return scores;
}
