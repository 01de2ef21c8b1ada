import { MemoryError } from "../model/errors.ts";
import { quote } from "../model/text.ts";

/** A day, or a moment with its zone: without one it would be another moment on another server. */
const WRITTEN = /^\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:\d\d))?$/u;

/** Milliseconds since the epoch of what a caller gives as a time. Throws INVALID_ARGUMENT. */
export function checkTime(value: unknown, field: string): number {
  const ms = timeOf(value);
  if (!Number.isNaN(ms)) return ms;
  throw new MemoryError(
    "INVALID_ARGUMENT",
    `${field}: expected a time such as "2026-05-08T13:56:00Z" or a day such as "2026-05-08" (UTC), got ${quote(value)}`,
    { field },
  );
}

function timeOf(value: unknown): number {
  if (value instanceof Date) return value.getTime();
  if (typeof value !== "string" || !WRITTEN.test(value)) return Number.NaN;
  const ms = Date.parse(value);
  // 30 February is read as 2 March: a day that is none is refused instead.
  const day = Date.parse(value.slice(0, 10));
  const isDay = !Number.isNaN(day) && new Date(day).toISOString().startsWith(value.slice(0, 10));
  return isDay ? ms : Number.NaN;
}
