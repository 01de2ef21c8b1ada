import { DAY_MS, dayInterval, dayOf, overlaps, spanDays, type Interval } from "./interval.ts";

/** Things are told of for some days after they happened. */
const TOLD_AFTER_DAY_DAYS = 10;
const TOLD_AFTER_MONTH_DAYS = 20;
const TOLD_BEFORE_DAYS = 3;

/**
 * How well a turn fits a time that the question names: 0 not at all, 1 said at that time, above 1
 * when the turn itself speaks of that day. The narrower the time asked for, the more a fit tells.
 */
export function dateMatch(
  asked: Interval,
  atMs: number | undefined,
  mentioned: readonly Interval[],
): number {
  const span = spanDays(asked);
  if (span === 0) return dayMatch(asked, atMs, mentioned);
  return span <= 100 ? monthMatch(asked, atMs, mentioned) : yearMatch(asked, atMs, mentioned);
}

function dayMatch(
  asked: Interval,
  atMs: number | undefined,
  mentioned: readonly Interval[],
): number {
  let match = 0;
  if (atMs !== undefined) {
    const late = (dayOf(atMs) - asked.fromMs) / DAY_MS;
    if (late === 0) match = 1;
    else if (late > 0 && late <= TOLD_AFTER_DAY_DAYS)
      match = 0.6 * (1 - late / (TOLD_AFTER_DAY_DAYS + 1));
    else if (late < 0 && late >= -TOLD_BEFORE_DAYS) match = 0.3;
  }
  return Math.max(
    match,
    mentionMatch(asked, mentioned, 7, 1.2),
    mentionMatch(asked, mentioned, Infinity, 0.5),
  );
}

function monthMatch(
  asked: Interval,
  atMs: number | undefined,
  mentioned: readonly Interval[],
): number {
  let match = 0;
  if (atMs !== undefined) {
    const late = (dayOf(atMs) - asked.toMs) / DAY_MS;
    if (overlaps(dayInterval(dayOf(atMs)), asked)) match = 0.8;
    else if (late > 0 && late <= TOLD_AFTER_MONTH_DAYS) match = 0.3;
  }
  return Math.max(match, mentionMatch(asked, mentioned, 39, 1));
}

function yearMatch(
  asked: Interval,
  atMs: number | undefined,
  mentioned: readonly Interval[],
): number {
  const said = atMs !== undefined && overlaps(dayInterval(dayOf(atMs)), asked) ? 0.2 : 0;
  return Math.max(said, mentionMatch(asked, mentioned, 369, 0.5));
}

function mentionMatch(
  asked: Interval,
  mentioned: readonly Interval[],
  spanDaysMax: number,
  worth: number,
): number {
  const fits = mentioned.some((each) => spanDays(each) <= spanDaysMax && overlaps(each, asked));
  return fits ? worth : 0;
}
