import type { Analyser } from "../text/analyser.ts";
import { normaliseText, splitWords } from "../text/tokens.ts";
import { intervalIn, namedDates, type NamedDate } from "./time/named-dates.ts";
import type { Interval } from "./time/interval.ts";
import { traitsAsked, type Trait } from "./traits.ts";

/** A query has no more terms than this; the first count. */
export const QUESTION_TERMS_MAX = 64;
/** Of a long query only the beginning is read. */
const QUESTION_CHARS_MAX = 4_096;

/** All that is known of a query before anything is searched. */
export interface Question {
  /** In order, with duplicates: for nearness. */
  readonly sequence: readonly string[];
  /** Distinct, in order of appearance: what the keyword index is asked for. */
  readonly terms: readonly string[];
  /** Each distinct word, lower case and unstemmed, with the term it became. */
  readonly words: ReadonlyMap<string, string | undefined>;
  readonly asked: ReadonlySet<Trait>;
  readonly dates: readonly NamedDate[];
}

export function analyseQuestion(analyser: Analyser, text: string): Question {
  const read = text.slice(0, QUESTION_CHARS_MAX);
  const sequence = analyser.terms(read).slice(0, QUESTION_TERMS_MAX);
  const normalised = normaliseText(read);
  const words = new Map<string, string | undefined>();
  for (const word of splitWords(normalised))
    if (!words.has(word)) words.set(word, analyser.terms(word)[0]);
  return {
    sequence,
    terms: [...new Set(sequence)],
    words,
    asked: analyser.language === "en" ? traitsAsked(read) : new Set(),
    dates: namedDates(normalised),
  };
}

/** The days asked for; a date without a year may be of any year in which something was said. */
export function intervalsAsked(question: Question, years: readonly number[]): Interval[] {
  return question.dates.flatMap((named) =>
    (named.year === undefined ? years : [named.year]).map((year) => intervalIn(named, year)),
  );
}
