import { UsageError } from "./output.ts";

const SECONDS_PER: ReadonlyMap<string, number> = new Map([
  ["s", 1],
  ["m", 60],
  ["h", 3_600],
  ["d", 86_400],
]);

/** Seconds of a duration such as 15m, 24h or 7d. */
export function parseDuration(text: string, option: string): number {
  const [, count, unit] = /^(\d{1,9})([smhd])$/.exec(text) ?? [];
  const seconds = Number(count) * (SECONDS_PER.get(unit ?? "") ?? Number.NaN);
  if (seconds > 0) return seconds;
  throw new UsageError(
    `${option}: expected a duration such as 15m, 24h or 7d, got ${JSON.stringify(text)}`,
  );
}
