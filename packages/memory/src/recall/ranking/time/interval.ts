export const DAY_MS = 86_400_000;

/** Whole days of world time in UTC, both ends included. */
export interface Interval {
  readonly fromMs: number;
  readonly toMs: number;
}

export function dayOf(atMs: number): number {
  return Math.floor(atMs / DAY_MS) * DAY_MS;
}

export function dayInterval(dayMs: number): Interval {
  return { fromMs: dayMs, toMs: dayMs };
}

export function monthInterval(year: number, month: number): Interval {
  return { fromMs: Date.UTC(year, month, 1), toMs: Date.UTC(year, month + 1, 0) };
}

export function yearInterval(year: number): Interval {
  return { fromMs: Date.UTC(year, 0, 1), toMs: Date.UTC(year, 11, 31) };
}

export function overlaps(one: Interval, other: Interval): boolean {
  return one.fromMs <= other.toMs && other.fromMs <= one.toMs;
}

/** From the first day to the last: 0 for one day. */
export function spanDays(interval: Interval): number {
  return (interval.toMs - interval.fromMs) / DAY_MS;
}
