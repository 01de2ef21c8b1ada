import { shifted, type Layout } from "./layout.ts";
import type { Turn } from "./turn.ts";

export interface MeaningSignals {
  /** Similarity to the question, standardised. */
  readonly meaning: Float64Array;
  /** That of the turn before. */
  readonly meaningBefore: Float64Array;
  readonly meaningAfter: Float64Array;
  /** That of the turn before, where that one asks. */
  readonly meaningAnswers: Float64Array;
}

/** The most similar turns, by which the scale is set. */
const SCALE_TURNS = 100;

/**
 * Cosines of one model lie close together and those of another far apart, so each is told by its
 * distance from the mean of the hundred best, in their standard deviations: the same whether the
 * similarities of a hundred turns are known or of all. A turn whose similarity is not known was
 * not among the nearest, and counts as the farthest that is known.
 */
export function meaningSignals(turns: readonly Turn[], layout: Layout): MeaningSignals {
  const known = turns.flatMap(({ similarity }) => (similarity === undefined ? [] : [similarity]));
  known.sort((left, right) => right - left);
  const lowest = known.at(-1) ?? 0;
  const { mean, deviation } = spread(known.slice(0, SCALE_TURNS));
  const meaning = Float64Array.from(turns, ({ similarity }) => {
    return ((similarity ?? lowest) - mean) / deviation;
  });
  const asking = meaning.map((value, index) => (turns[index]?.features.asks === true ? value : 0));
  return {
    meaning,
    meaningBefore: shifted(meaning, layout, -1),
    meaningAfter: shifted(meaning, layout, 1),
    meaningAnswers: shifted(asking, layout, -1),
  };
}

function spread(values: readonly number[]): { mean: number; deviation: number } {
  const count = Math.max(1, values.length);
  const mean = values.reduce((sum, each) => sum + each, 0) / count;
  const variance = values.reduce((sum, each) => sum + (each - mean) ** 2, 0) / count;
  return { mean, deviation: Math.sqrt(variance) || 1 };
}
