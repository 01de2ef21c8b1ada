import {
  DAY_MS,
  dayInterval,
  dayOf,
  monthInterval,
  yearInterval,
  type Interval,
} from "./interval.ts";

const NUMBERS = new Map<string, number>(
  Object.entries({
    a: 1,
    an: 1,
    one: 1,
    two: 2,
    three: 3,
    four: 4,
    five: 5,
    six: 6,
    seven: 7,
    eight: 8,
    nine: 9,
    ten: 10,
    few: 3,
    couple: 2,
  }),
);
const WEEKDAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];
/** Said loosely: "last week" covers some days more on both sides. */
const WEEK_SLACK_DAYS = 3;
const YEARS_AGO_MAX = 200;

const WORDS: readonly (readonly [RegExp, (today: number) => Interval])[] = [
  [/\byesterday\b|\blast night\b/u, (today) => days(today, -1, -1)],
  [/\btoday\b|\btonight\b|\bthis (?:morning|afternoon|evening)\b/u, (today) => days(today, 0, 0)],
  [/\btomorrow\b/u, (today) => days(today, 1, 1)],
  [/\blast week\b|\bpast week\b/u, (today) => days(today, -10, -4)],
  [/\bnext week\b/u, (today) => days(today, 4, 11)],
  [/\b(?:last|past|over the) weekend\b/u, lastWeekend],
  [/\b(?:this|next) weekend\b/u, (today) => days(today, 0, 7)],
  [/\b(?:last|past) month\b/u, (today) => month(today, -1)],
  [/\bthis month\b/u, (today) => month(today, 0)],
  [/\bnext month\b/u, (today) => month(today, 1)],
  [/\blast year\b/u, (today) => year(today, -1)],
  [/\bthis year\b/u, (today) => year(today, 0)],
  [/\bnext year\b/u, (today) => year(today, 1)],
];
const LAST_WEEKDAY =
  /\b(?:last|on|this past) (sun|mon|tue|wed|thu|fri|sat)(?:s|nes|rs|ur)?(?:day)?\b/gu;
const AGO =
  /\b(an?|one|two|three|four|five|six|seven|eight|nine|ten|few|couple|\d{1,3}) (?:of )?(day|week|month|year)s? (?:ago|back)\b/gu;

/** What "last week" and the like mean in an English text (normalised) said at a time. */
export function relativeIntervals(text: string, atMs: number): Interval[] {
  const today = dayOf(atMs);
  const found: Interval[] = [];
  for (const [pattern, read] of WORDS) if (pattern.test(text)) found.push(read(today));
  for (const [, name = ""] of text.matchAll(LAST_WEEKDAY)) {
    const back = (new Date(today).getUTCDay() - WEEKDAYS.indexOf(name) + 7) % 7;
    found.push(days(today, -(back || 7), -(back || 7)));
  }
  for (const [, amount = "", unit = ""] of text.matchAll(AGO)) {
    const count = NUMBERS.get(amount) ?? Number(amount);
    if (count <= YEARS_AGO_MAX) found.push(ago(today, count, unit));
  }
  return found;
}

function days(today: number, from: number, to: number): Interval {
  return { fromMs: today + from * DAY_MS, toMs: today + to * DAY_MS };
}

function month(today: number, distance: number): Interval {
  const date = new Date(today);
  return monthInterval(date.getUTCFullYear(), date.getUTCMonth() + distance);
}

function year(today: number, distance: number): Interval {
  return yearInterval(new Date(today).getUTCFullYear() + distance);
}

function lastWeekend(today: number): Interval {
  const weekday = new Date(today).getUTCDay();
  return days(today, -(weekday + 1), -(weekday || 7));
}

function ago(today: number, count: number, unit: string): Interval {
  if (unit === "day") return dayInterval(today - count * DAY_MS);
  if (unit === "week")
    return days(today, -7 * count - WEEK_SLACK_DAYS, -7 * count + WEEK_SLACK_DAYS);
  return unit === "month" ? month(today, -count) : year(today, -count);
}
