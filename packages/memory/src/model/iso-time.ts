const MS_PER_DAY = 86_400_000;
const MS_PER_HOUR = 3_600_000;
const MS_PER_MINUTE = 60_000;
const MS_PER_SECOND = 1_000;

const TWO_DIGITS: readonly string[] = Array.from({ length: 60 }, (_, n) =>
  String(n).padStart(2, "0"),
);

/**
 * ISO 8601 text of times since the epoch, as `Date.toISOString` writes it. An item shows three or
 * four times, mostly of few days, and a Date for each was a tenth of a hit over HTTP: the day's
 * part is kept, the rest is put together from a table.
 */
export class IsoTimes {
  #day = Number.NaN;
  #dayText = "";

  text(epochMs: number): string {
    const day = Math.floor(epochMs / MS_PER_DAY);
    if (day !== this.#day) {
      const DATE_CHARACTERS = "2026-01-01T".length;
      const text = new Date(epochMs).toISOString();
      // Years before 0 and after 9999 have another form.
      if (text.length !== "2026-01-01T00:00:00.000Z".length) return text;
      this.#dayText = text.slice(0, DATE_CHARACTERS);
      this.#day = day;
    }
    const inDayMs = Math.trunc(epochMs) - day * MS_PER_DAY;
    const hours = Math.trunc(inDayMs / MS_PER_HOUR);
    const minutes = Math.trunc((inDayMs % MS_PER_HOUR) / MS_PER_MINUTE);
    const seconds = Math.trunc((inDayMs % MS_PER_MINUTE) / MS_PER_SECOND);
    const ms = inDayMs % MS_PER_SECOND;
    const padding = ms < 10 ? "00" : ms < 100 ? "0" : "";
    return `${this.#dayText}${TWO_DIGITS[hours]}:${TWO_DIGITS[minutes]}:${TWO_DIGITS[seconds]}.${padding}${ms}Z`;
  }
}
