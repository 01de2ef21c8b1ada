import type { SignalName } from "./signals.ts";

/** What each signal is worth; one that is not named counts nothing. */
export type Weights = Readonly<Partial<Record<SignalName, number>>>;

/**
 * Set by reasoning and rounded, the same for all conversations and for both modes. What is said
 * around a turn, and in its session, counts as much as its own words: an answer seldom repeats
 * them. A fitting date is worth a full match of words, a named speaker a fifth of one, and a turn
 * that only asks says less than the one that answers. Meaning is in standard deviations, of which
 * the best turns have three to five.
 */
export const DEFAULT_WEIGHTS: Weights = {
  words: 0.7,
  kin: 0.7,
  nearness: 0.5,
  window: 1,
  session: 1,
  answers: 0.6,
  asking: -0.15,
  length: 0.15,
  speaker: 0.2,
  date: 1,
  time: 0.3,
  number: 0.3,
  place: 0.5,
  meaning: 0.08,
  meaningAfter: 0.03,
  meaningAnswers: 0.08,
};
