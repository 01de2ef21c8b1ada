import { expect, test } from "vitest";
import {
  cpuRates,
  cpuUs,
  meanOfEach,
  median,
  medianRatio,
  percentile,
  rates,
} from "./statistics.ts";

test("the median of an even number of values lies between the middle two", () => {
  expect(median([9, 1, 3, 5])).toBe(4);
  expect(median([9, 1, 3])).toBe(3);
  expect(() => median([])).toThrow("at least one");
});

test("a percentile is a value that was measured", () => {
  const values = Float64Array.from({ length: 1000 }, (_, index) => 1000 - index);
  expect(percentile(values, 0.999)).toBe(999);
  expect(percentile(Float64Array.of(7), 0.999)).toBe(7);
});

test("a ratio compares within each round, so that a slow round of both says nothing", () => {
  const ours = [100, 10, 100];
  const theirs = [200, 20, 200];
  expect(medianRatio(ours, theirs)).toBe(0.5);
});

test("processes of one side count alike, round by round", () => {
  expect(
    meanOfEach([
      [1, 10],
      [3, 20],
    ]),
  ).toEqual([2, 15]);
  expect(meanOfEach([[5, 6]])).toEqual([5, 6]);
  expect(meanOfEach([[1, 2], [3]])).toEqual([2, Number.NaN]);
});

test("rates are operations a second, costs are processor time of one", () => {
  const samples = [{ operations: 50, elapsedMs: 10, cpuMs: 5, figures: {} }];
  expect(rates(samples)).toEqual([5000]);
  expect(cpuRates(samples)).toEqual([10_000]);
  expect(cpuUs(samples)).toEqual([100]);
});
