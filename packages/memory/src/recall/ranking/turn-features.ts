import type { Analyser } from "../text/analyser.ts";
import { normaliseText, splitWords } from "../text/tokens.ts";
import type { Interval } from "./time/interval.ts";
import { intervalNear, namedDates } from "./time/named-dates.ts";
import { relativeIntervals } from "./time/relative-dates.ts";
import { traitsShown, type Trait } from "./traits.ts";

/** Text beyond this tells the ranker nothing about what it says, only words. */
const SHOWN_CHARS_MAX = 8_192;

/**
 * All that the ranker reads of a text. Made once and depends on nothing but its arguments, so it
 * may be kept by key and version: making it costs more than ranking by it.
 */
export interface TurnFeatures {
  /** Of the text, in order, with duplicates. */
  readonly terms: readonly string[];
  /** Says something that ends in a question mark. */
  readonly asks: boolean;
  /** The last thing said is a question: the answer is the next turn's. */
  readonly endsAsking: boolean;
  readonly traits: ReadonlySet<Trait>;
  /** Times in the world that the text speaks of. */
  readonly mentioned: readonly Interval[];
  /** The speaker's name as words, lower case. */
  readonly speakerWords: readonly string[];
}

export interface TurnText {
  readonly text: string;
  readonly speaker?: string;
  /** When it was said, in world time. */
  readonly atMs?: number;
}

export function describeTurn(analyser: Analyser, turn: TurnText): TurnFeatures {
  const english = analyser.language === "en";
  const shown = turn.text.slice(0, SHOWN_CHARS_MAX);
  return {
    terms: analyser.terms(turn.text),
    asks: shown.includes("?"),
    // At the end of any line: what is attached to a turn stands on lines of its own.
    endsAsking: /\?[\p{P}\p{S}\s]*(?:\n|$)/u.test(shown),
    traits: english ? traitsShown(shown) : new Set(),
    mentioned: mentionedIntervals(shown, turn.atMs, english),
    speakerWords: turn.speaker === undefined ? [] : splitWords(normaliseText(turn.speaker)),
  };
}

function mentionedIntervals(text: string, atMs: number | undefined, english: boolean): Interval[] {
  if (atMs === undefined) return [];
  const normalised = normaliseText(text);
  const named = namedDates(normalised).map((each) => intervalNear(each, atMs));
  return english ? [...named, ...relativeIntervals(normalised, atMs)] : named;
}
