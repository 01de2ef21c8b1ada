import fc from "fast-check";
import { expect, test } from "vitest";
import { IsoTimes } from "./iso-time.ts";

test("writes every time as Date.toISOString does, whatever came before", () => {
  const times = new IsoTimes();
  const anyTime = fc.oneof(
    fc.integer({ min: -8_640_000_000_000_000, max: 8_640_000_000_000_000 }),
    fc.integer({ min: -200_000_000, max: 200_000_000 }),
    fc.double({ min: 0, max: 4_000_000_000_000, noNaN: true }),
  );
  fc.assert(
    fc.property(anyTime, (epochMs) => {
      expect(times.text(epochMs)).toBe(new Date(epochMs).toISOString());
    }),
    { numRuns: 2_000 },
  );
});

test("does so at both ends of a day", () => {
  const times = new IsoTimes();
  const midnightMs = Date.UTC(2026, 1, 28);
  for (const offsetMs of [-1, 0, 1, 999, 1_000, 59_999, 60_000, 3_599_999, 86_399_999, 86_400_000])
    expect(times.text(midnightMs + offsetMs)).toBe(new Date(midnightMs + offsetMs).toISOString());
});

test("refuses what is no time", () => {
  expect(() => new IsoTimes().text(Number.NaN)).toThrow(RangeError);
});
