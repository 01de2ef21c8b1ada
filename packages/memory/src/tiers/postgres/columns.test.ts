import { expect, test } from "vitest";
import { deadlineOf } from "./columns.ts";

test("a deadline is early by the coarsest clock's grain, so that no copy outlives its item", () => {
  // The database floors 1000.9 ms to 1000: it counts up to a millisecond too much.
  expect(deadlineOf(500, 100)).toBe(599);
  expect(deadlineOf(500, undefined)).toBe(Number.POSITIVE_INFINITY);
});
