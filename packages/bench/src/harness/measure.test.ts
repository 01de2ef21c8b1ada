import { expect, test } from "vitest";
import { DEFAULT_PLAN } from "./contender.ts";
import { Measure } from "./measure.ts";

const PLAN = { ...DEFAULT_PLAN, roundMs: 0.001, warmUpMs: 0, collect: false, discardPauseMs: 0 };

test("chunks that did not do what is measured are done again and not counted", async () => {
  const outcomes = [Number.NaN, Number.NaN, 1];
  let calls = 0;
  const contender = { run: () => outcomes[calls++] ?? 1, close: () => {} };
  const sample = await new Measure(contender, PLAN).round();
  expect(calls).toBeGreaterThan(2);
  expect(sample.operations).toBe(calls - 2);
});

test("a contender that never does what is measured is an error, not a figure", async () => {
  const contender = { run: () => Number.NaN, close: () => {} };
  await expect(new Measure(contender, PLAN).round()).rejects.toThrow("in a row");
});
