import { describe, expect, test } from "vitest";
import { dateMatch } from "./date-match.ts";
import { dayInterval, monthInterval, yearInterval } from "./interval.ts";

const at = (text: string): number => Date.parse(text);

describe("a day", () => {
  const asked = dayInterval(at("2023-05-08"));

  test("fits best what speaks of it, then what was said on it, then soon after, then before", () => {
    const matches = [
      dateMatch(asked, at("2023-06-20"), [dayInterval(at("2023-05-08"))]),
      dateMatch(asked, at("2023-05-08T19:00Z"), []),
      dateMatch(asked, at("2023-05-09"), []),
      dateMatch(asked, at("2023-05-15"), []),
      dateMatch(asked, at("2023-06-20"), []),
    ];
    expect(matches).toEqual(matches.toSorted((left, right) => right - left));
    expect(new Set(matches).size).toBe(matches.length);
    expect(matches.at(-1)).toBe(0);
    expect(dateMatch(asked, at("2023-05-06"), [])).toBeGreaterThan(0);
    expect(dateMatch(asked, at("2023-05-04"), [])).toBe(0);
  });

  test("is told by what has no time of its own only if it speaks of it", () => {
    expect(dateMatch(asked, undefined, [])).toBe(0);
    expect(dateMatch(asked, undefined, [dayInterval(at("2023-05-08"))])).toBeGreaterThan(1);
    expect(dateMatch(asked, undefined, [yearInterval(2023)])).toBe(0.5);
  });
});

test("a month and a year tell less than a day, and what speaks of a year nothing of a month", () => {
  const said = at("2023-05-08");
  const month = dateMatch(monthInterval(2023, 4), said, []);
  const year = dateMatch(yearInterval(2023), said, []);
  expect(month).toBeLessThan(dateMatch(dayInterval(said), said, []));
  expect(year).toBeLessThan(month);
  expect(dateMatch(monthInterval(2023, 4), at("2023-09-01"), [yearInterval(2023)])).toBe(0);
  expect(dateMatch(monthInterval(2023, 4), at("2023-06-10"), [])).toBe(0.3);
  expect(dateMatch(yearInterval(2022), said, [monthInterval(2022, 7)])).toBe(0.5);
});
