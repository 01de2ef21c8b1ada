import { kinScores } from "./kin.ts";
import { shifted, type Layout } from "./layout.ts";
import { nearness } from "./nearness.ts";
import { countTerms } from "./term-table.ts";
import type { RankingInput } from "./turn.ts";
import {
  idfMass,
  rateTerms,
  scoreAmong,
  scoreTexts,
  sessionTable,
  windowTable,
} from "./word-scores.ts";

/** A turn and two to each side: about what is said of one thing. */
const WINDOW_REACH = 2;
/** A turn of so many terms says something; longer ones say no more. */
const LENGTH_ENOUGH_TERMS = 20;

export interface WordSignals {
  /** BM25 of the turn's own words. */
  readonly words: Float64Array;
  /** Words that resemble those of the question. */
  readonly kin: Float64Array;
  /** Words that stand together in the question and in the turn. */
  readonly nearness: Float64Array;
  /** BM25 of the turn with those around it. */
  readonly window: Float64Array;
  /** BM25 of the whole session. */
  readonly session: Float64Array;
  /** The words of the turn before, where that one asks: an answer seldom repeats its question. */
  readonly answers: Float64Array;
  /** 0 to 1: greetings and thanks are short. */
  readonly length: Float64Array;
}

/** All scores are divided by the idf mass of the question; `names` of speakers are left out. */
export function wordSignals(
  input: RankingInput,
  layout: Layout,
  names: ReadonlySet<string>,
): WordSignals {
  const { turns, question, statistics } = input;
  const terms = rateTerms(input, names);
  const mass = idfMass(terms);
  const scaled = (scores: Float64Array): Float64Array => scores.map((score) => score / mass);
  const table = countTerms(
    turns,
    terms.map(({ term }) => term),
  );
  const words = scaled(scoreTexts(terms, table, statistics.averageLength));
  const sessions = scaled(scoreAmong(terms, sessionTable(table, layout)));
  const asked = words.map((score, index) => (turns[index]?.features.asks === true ? score : 0));
  return {
    words,
    kin: scaled(kinScores(input, terms)),
    nearness: scaled(nearness(turns, question.sequence, terms)),
    window: scaled(scoreAmong(terms, windowTable(table, layout, WINDOW_REACH))),
    session: words.map((_, index) => sessions[layout.session[index] ?? -1] ?? 0),
    answers: shifted(asked, layout, -1),
    length: table.lengths.map((length) => Math.min(1, length / LENGTH_ENOUGH_TERMS)),
  };
}
