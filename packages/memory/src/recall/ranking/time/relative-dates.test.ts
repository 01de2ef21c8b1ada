import { expect, test } from "vitest";
import { relativeIntervals } from "./relative-dates.ts";

/** A Wednesday, in the evening. */
const SAID_MS = Date.UTC(2023, 4, 10, 19, 30);

test.each([
  ["yesterday", "2023-05-09", "2023-05-09"],
  ["we met last night", "2023-05-09", "2023-05-09"],
  ["this morning", "2023-05-10", "2023-05-10"],
  ["see you tomorrow", "2023-05-11", "2023-05-11"],
  ["last week", "2023-04-30", "2023-05-06"],
  ["last weekend", "2023-05-06", "2023-05-07"],
  ["last month", "2023-04-01", "2023-04-30"],
  ["next year", "2024-01-01", "2024-12-31"],
  ["last friday", "2023-05-05", "2023-05-05"],
  ["on tues", "2023-05-09", "2023-05-09"],
  ["last wednesday", "2023-05-03", "2023-05-03"],
  ["two days ago", "2023-05-08", "2023-05-08"],
  ["a week ago", "2023-04-30", "2023-05-06"],
  ["a couple of months back", "2023-03-01", "2023-03-31"],
  ["10 years ago", "2013-01-01", "2013-12-31"],
])("%j", (text, from, to) => {
  expect(relativeIntervals(text, SAID_MS)).toEqual([
    { fromMs: Date.parse(from), toMs: Date.parse(to) },
  ]);
});

test.each(["", "the last of the weeks", "999 years ago", "lastweek", "on money", "on sunset"])(
  "%j: none",
  (text) => {
    expect(relativeIntervals(text, SAID_MS)).toEqual([]);
  },
);
