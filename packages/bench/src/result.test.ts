import { expect, test } from "vitest";
import { formatTable } from "./format.ts";
import { atLeast, atMost, judge, valueAtMost } from "./result.ts";

const measured = { name: "x", value: 4, unit: "µs", peer: "p", peerValue: 8, ratio: 2 };

test("a goal is met at its bound and missed beyond it", () => {
  expect(judge({ ...measured, goal: atLeast(2) })).toMatchObject({ goal: "ratio >= 2", met: true });
  expect(judge({ ...measured, goal: atLeast(2.01) }).met).toBe(false);
  expect(judge({ ...measured, goal: atMost(2) }).met).toBe(true);
  expect(judge({ ...measured, goal: atMost(1.99) }).met).toBe(false);
  expect(judge({ ...measured, goal: valueAtMost(4) })).toMatchObject({
    goal: "value <= 4",
    met: true,
  });
  expect(judge({ ...measured, goal: valueAtMost(3) }).met).toBe(false);
});

test("what has no goal is shown and not judged", () => {
  const result = judge(measured);
  expect(result.met).toBeNull();
  const report = { suite: "s", machine: "m", node: "24", date: "2026-01-01", results: [result] };
  expect(formatTable(report)).toContain("0 of 0 goals met");
});
