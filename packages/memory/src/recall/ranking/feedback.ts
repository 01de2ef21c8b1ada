import type { RankingInput } from "./turn.ts";
import { idfMass, scoreTurns, tableOf, withLocalIdf } from "./word-scores.ts";

/** The best turns are read again for words that the question could have used. */
const TURNS = 5;
const TERMS = 15;
/** How fast a lower score loses its say: of scores in units of the idf mass. */
const SHARPNESS = 1;

/**
 * Turns scored by the words of the turns that ranked best: what is said of the same thing in other
 * words. `preliminary` is the ranking without this signal.
 */
export function feedbackScores(
  input: RankingInput,
  preliminary: Float64Array,
  leftOut: ReadonlySet<string>,
): Float64Array {
  const best = topIndexes(preliminary, TURNS);
  const first = best[0];
  const top = first === undefined ? 0 : (preliminary[first] ?? 0);
  const weights = new Map<string, number>();
  for (const index of best) {
    const terms = input.turns[index]?.features.terms ?? [];
    const trust = Math.exp(SHARPNESS * ((preliminary[index] ?? 0) - top));
    for (const term of terms)
      if (!leftOut.has(term)) weights.set(term, (weights.get(term) ?? 0) + trust / terms.length);
  }
  const weighed = withLocalIdf(input, weights)
    .sort((left, right) => right.weight * right.idf - left.weight * left.idf)
    .slice(0, TERMS);
  const mass = idfMass(weighed);
  const scores = scoreTurns(weighed, tableOf(input.turns, weighed), input.statistics.averageLength);
  return scores.map((score) => score / mass);
}

/** Indexes of the highest values, best first; the lower index wins a tie. */
export function topIndexes(values: Float64Array, count: number): number[] {
  return [...values.keys()]
    .sort((left, right) => (values[right] ?? 0) - (values[left] ?? 0) || left - right)
    .slice(0, count);
}
