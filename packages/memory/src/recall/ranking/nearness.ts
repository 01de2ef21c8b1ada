import type { Turn } from "./turn.ts";
import type { RatedTerm } from "./word-scores.ts";

/** Words of the question that follow one another in it count when they are this close in a turn. */
const REACH = 3;

/**
 * Pairs of neighbouring words of the question that stand near each other, in order, in the turn:
 * the mean idf of both, halved and thirded with the distance.
 */
export function nearness(
  turns: readonly Turn[],
  sequence: readonly string[],
  terms: readonly RatedTerm[],
): Float64Array {
  const pairs = pairsOf(sequence, new Map(terms.map(({ term, idf }) => [term, idf])));
  if (pairs.size === 0) return new Float64Array(turns.length);
  return Float64Array.from(turns, ({ features }) => pairsIn(features.terms, pairs));
}

type Pairs = ReadonlyMap<string, ReadonlyMap<string, number>>;

function pairsOf(sequence: readonly string[], idf: ReadonlyMap<string, number>): Pairs {
  const pairs = new Map<string, Map<string, number>>();
  sequence.forEach((first, index) => {
    const second = sequence[index + 1] ?? first;
    const firstIdf = idf.get(first);
    const secondIdf = idf.get(second);
    if (first === second || firstIdf === undefined || secondIdf === undefined) return;
    const seconds = pairs.get(first) ?? new Map<string, number>();
    pairs.set(first, seconds.set(second, (firstIdf + secondIdf) / 2));
  });
  return pairs;
}

/** Each pair once, where it is closest. */
function pairsIn(terms: readonly string[], pairs: Pairs): number {
  const best = new Map<string, number>();
  terms.forEach((first, index) => {
    const seconds = pairs.get(first);
    if (seconds === undefined) return;
    for (let step = 1; step <= REACH; step += 1) {
      const second = terms[index + step] ?? "";
      const worth = (seconds.get(second) ?? 0) / step;
      const pair = `${first} ${second}`;
      if (worth > (best.get(pair) ?? 0)) best.set(pair, worth);
    }
  });
  let sum = 0;
  for (const worth of best.values()) sum += worth;
  return sum;
}
