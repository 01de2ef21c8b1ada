import type { WeighedTerm } from "./word-scores.ts";
import type { Turn } from "./turn.ts";

/** Words of the question that follow one another in it, this close in the turn. */
const REACH = 3;

/**
 * Pairs of neighbouring words of the question that stand near each other, in order, in the turn:
 * the mean idf of both, halved and thirded with the distance.
 */
export function nearness(
  turns: readonly Turn[],
  sequence: readonly string[],
  terms: readonly WeighedTerm[],
): Float64Array {
  const idf = new Map(terms.map((each) => [each.term, each.idf]));
  const pairs = new Map<string, Map<string, number>>();
  for (let index = 0; index + 1 < sequence.length; index += 1) {
    const first = sequence[index] ?? "";
    const second = sequence[index + 1] ?? "";
    const worth = ((idf.get(first) ?? 0) + (idf.get(second) ?? 0)) / 2;
    if (!idf.has(first) || !idf.has(second) || first === second) continue;
    const seconds = pairs.get(first) ?? new Map<string, number>();
    pairs.set(first, seconds.set(second, worth));
  }
  return Float64Array.from(turns, ({ features }) => pairsIn(features.terms, pairs));
}

function pairsIn(
  terms: readonly string[],
  pairs: ReadonlyMap<string, ReadonlyMap<string, number>>,
): number {
  const best = new Map<string, number>();
  terms.forEach((first, index) => {
    const seconds = pairs.get(first);
    if (seconds === undefined) return;
    for (let step = 1; step <= REACH; step += 1) {
      const second = terms[index + step];
      const worth = second === undefined ? undefined : seconds.get(second);
      if (worth === undefined) continue;
      const pair = `${first} ${second}`;
      best.set(pair, Math.max(best.get(pair) ?? 0, worth / step));
    }
  });
  let sum = 0;
  for (const worth of best.values()) sum += worth;
  return sum;
}
