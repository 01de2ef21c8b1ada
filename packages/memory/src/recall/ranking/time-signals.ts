import { intervalsAsked } from "./question.ts";
import { dateMatch } from "./time/date-match.ts";
import { DAY_MS } from "./time/interval.ts";
import type { RankingInput } from "./turn.ts";

/** What was said so long before the newest turn counts half as recent. */
const RECENCY_HALF_DAYS = 30;

export interface TimeSignals {
  /** How well the turn fits a time that the question names. */
  readonly date: Float64Array;
  /** 1 for the newest turn here, halved with every thirty days of world time before it. */
  readonly recency: Float64Array;
}

export function timeSignals({ question, turns }: RankingInput): TimeSignals {
  const times = turns.flatMap(({ atMs }) => (atMs === undefined ? [] : [atMs]));
  const years = [...new Set(times.map((atMs) => new Date(atMs).getUTCFullYear()))];
  const asked = intervalsAsked(question, years);
  const newestMs = times.reduce((newest, atMs) => Math.max(newest, atMs), -Infinity);
  return {
    date: Float64Array.from(turns, ({ atMs, features }) =>
      asked.reduce((best, each) => Math.max(best, dateMatch(each, atMs, features.mentioned)), 0),
    ),
    recency: Float64Array.from(turns, ({ atMs }) =>
      atMs === undefined ? 0 : 2 ** ((atMs - newestMs) / (RECENCY_HALF_DAYS * DAY_MS)),
    ),
  };
}
