import { inverseDocumentFrequency, termWeight } from "../keyword/bm25.ts";
import type { RankingInput } from "./turn.ts";
import type { RatedTerm } from "./word-scores.ts";

/** Letters in a part: with the ends marked, `psycholog` and `psychologist` share six of ten. */
const PART_CHARS = 4;
/** Dice's coefficient of parts, below which two terms are strangers. */
const LIKENESS_MIN = 0.3;

/**
 * Turns scored by terms that resemble those of the question without being them: relatives that the
 * stemmer keeps apart, and misspellings. A turn's relatives of one term count together, each by
 * its likeness, and are as rare as the turns that hold any of them.
 */
export function kinScores(input: RankingInput, terms: readonly RatedTerm[]): Float64Array {
  const { turns, statistics } = input;
  const relatives = findRelatives(input, terms);
  const counts = terms.map(() => new Float64Array(turns.length));
  turns.forEach(({ features }, index) => {
    for (const term of features.terms)
      for (const [slot, likeness] of relatives.get(term) ?? []) {
        const row = counts[slot];
        if (row !== undefined) row[index] = (row[index] ?? 0) + likeness;
      }
  });
  const scores = new Float64Array(turns.length);
  for (const row of counts) {
    // How many hold a relative is known of the turns here only.
    const held = row.reduce((sum, count) => sum + (count > 0 ? 1 : 0), 0);
    const idf = inverseDocumentFrequency(turns.length, held);
    row.forEach((count, index) => {
      const length = turns[index]?.features.terms.length ?? 0;
      scores[index] =
        (scores[index] ?? 0) + idf * termWeight(count, length, statistics.averageLength);
    });
  }
  return scores;
}

/** Of each term in the turns: which terms of the question it resembles, by number, and how much. */
function findRelatives(
  { turns }: RankingInput,
  terms: readonly RatedTerm[],
): Map<string, [slot: number, likeness: number][]> {
  const asked = new Map(terms.map(({ term }, slot) => [term, slot]));
  const partsAsked = terms.map(({ term }) => partsOf(term));
  const slotsByPart = new Map<string, number[]>();
  partsAsked.forEach((parts, slot) => {
    for (const part of parts) slotsByPart.set(part, [...(slotsByPart.get(part) ?? []), slot]);
  });
  const relatives = new Map<string, [number, number][]>();
  for (const term of new Set(turns.flatMap(({ features }) => features.terms))) {
    if (asked.has(term)) continue;
    const parts = partsOf(term);
    const shared = new Map<number, number>();
    for (const part of parts)
      for (const slot of slotsByPart.get(part) ?? []) shared.set(slot, (shared.get(slot) ?? 0) + 1);
    const near = [...shared].flatMap(([slot, common]): [number, number][] => {
      const likeness = (2 * common) / (parts.size + (partsAsked[slot]?.size ?? 0));
      return likeness >= LIKENESS_MIN ? [[slot, likeness]] : [];
    });
    if (near.length > 0) relatives.set(term, near);
  }
  return relatives;
}

function partsOf(term: string): Set<string> {
  const marked = `^${term}$`;
  const parts = new Set<string>();
  for (let start = 0; start + PART_CHARS <= marked.length; start += 1)
    parts.add(marked.slice(start, start + PART_CHARS));
  return parts;
}
