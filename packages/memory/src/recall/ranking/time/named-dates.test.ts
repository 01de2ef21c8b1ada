import { describe, expect, test } from "vitest";
import { intervalIn, intervalNear, namedDates } from "./named-dates.ts";

const day = (year: number, month: number, date: number): number => Date.UTC(year, month - 1, date);

describe("dates in text", () => {
  test.each([
    ["on 2023-05-08", { year: 2023, month: 4, day: 8 }],
    ["on 8 may 2023", { year: 2023, month: 4, day: 8 }],
    ["on the 8th of may, 2023", { year: 2023, month: 4, day: 8 }],
    ["may 8, 2023", { year: 2023, month: 4, day: 8 }],
    ["since sept. 3rd", { month: 8, day: 3 }],
    ["in june 2022", { year: 2022, month: 5 }],
    ["in the month of march", { month: 2 }],
    ["summer of 2021", { year: 2021, month: 5, months: 3 }],
    ["back in 1999", { year: 1999 }],
  ])("%j", (text, expected) => {
    expect(namedDates(text)).toEqual([{ months: 1, ...expected }]);
  });

  test.each([
    "it may rain",
    "a long march",
    "may i ask",
    "room 2023b",
    "40 may flowers",
    "may 45 people come",
    "maybe 3",
    "",
  ])("%j names none", (text) => {
    expect(namedDates(text)).toEqual([]);
  });

  test("each place is read once, the most exact way", () => {
    expect(namedDates("from 1 june 2022 to july 2023, then 2024")).toEqual([
      { months: 1, year: 2022, month: 5, day: 1 },
      { months: 1, year: 2023, month: 6 },
      { months: 1, year: 2024 },
    ]);
  });
});

test("days meant", () => {
  expect(intervalIn({ months: 1, year: 2023, month: 1 }, 1999)).toEqual({
    fromMs: day(2023, 2, 1),
    toMs: day(2023, 2, 28),
  });
  expect(intervalIn({ months: 3, month: 11 }, 2023)).toEqual({
    fromMs: day(2023, 12, 1),
    toMs: day(2024, 2, 29),
  });
  expect(intervalIn({ months: 1, month: 4, day: 8 }, 2023)).toEqual({
    fromMs: day(2023, 5, 8),
    toMs: day(2023, 5, 8),
  });
  expect(intervalIn({ months: 1, year: 2020 }, 2023)).toEqual({
    fromMs: day(2020, 1, 1),
    toMs: day(2020, 12, 31),
  });
});

test("a date without a year is the nearest to when it was said", () => {
  const december = { months: 1, month: 11, day: 24 };
  expect(intervalNear(december, day(2023, 1, 10)).fromMs).toBe(day(2022, 12, 24));
  expect(intervalNear(december, day(2023, 11, 10)).fromMs).toBe(day(2023, 12, 24));
});
