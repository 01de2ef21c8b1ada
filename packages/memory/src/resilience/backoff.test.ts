import { expect, test } from "vitest";
import { backoffMs } from "./backoff.ts";

test("the ceiling of a pause doubles with each attempt up to its bound", () => {
  const options = { firstMs: 10, maxMs: 60 };
  const ceilings = [1, 2, 3, 4, 50].map((attempt) => backoffMs(attempt, options, () => 1));
  expect(ceilings).toEqual([10, 20, 40, 60, 60]);
});

test("a pause is anything below its ceiling", () => {
  expect(backoffMs(3, { firstMs: 10, maxMs: 60 }, () => 0.25)).toBe(10);
  expect(backoffMs(3, { firstMs: 10, maxMs: 60 }, () => 0)).toBe(0);
});
