import { MemoryError } from "../../model/errors.ts";
import { computeSignals, SIGNALS, type SignalName } from "./signals.ts";
import { RANKED_TURNS_MAX, type RankingInput } from "./turn.ts";
import { DEFAULT_WEIGHTS, type Weights } from "./weights.ts";

/** Turns in order, and why. Everything is by index into the turns as given. */
export interface Ranking {
  /** All turns, best first; equal scores keep the order given. */
  readonly order: readonly number[];
  /** Per turn: the sum of its contributions. */
  readonly scores: Float64Array;
  /** Weight times value of each signal that is not 0 for this turn. */
  contributions(index: number): Readonly<Partial<Record<SignalName, number>>>;
}

/**
 * Ranks turns by a weighted sum of named signals. Pure: the same input gives the same ranking on
 * every backend. Cost is linear in the turns' words.
 */
export function rankTurns(input: RankingInput, weights: Weights = DEFAULT_WEIGHTS): Ranking {
  const { turns } = input;
  if (turns.length > RANKED_TURNS_MAX)
    throw new MemoryError(
      "INTERNAL",
      `${turns.length} turns to rank, at most ${RANKED_TURNS_MAX} are: pass the best candidates`,
    );
  const computed = computeSignals(input);
  const signals = SIGNALS.flatMap((name) => {
    const weight = weights[name] ?? 0;
    return weight === 0 ? [] : [{ name, weight, values: computed[name] }];
  });
  const scores = new Float64Array(turns.length);
  for (const { weight, values } of signals)
    values.forEach((value, index) => {
      scores[index] = (scores[index] ?? 0) + weight * value;
    });
  return {
    order: [...scores.keys()].sort(
      (left, right) => (scores[right] ?? 0) - (scores[left] ?? 0) || left - right,
    ),
    scores,
    contributions: (index) =>
      Object.fromEntries(
        signals.flatMap(({ name, weight, values }) => {
          const value = values[index] ?? 0;
          return value === 0 ? [] : [[name, weight * value]];
        }),
      ),
  };
}
