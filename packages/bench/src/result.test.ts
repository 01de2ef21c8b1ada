import { expect, test } from "vitest";
import { formatTable } from "./format.ts";
import { atLeast, atMost, judge, unmeasured, valueAtMost } from "./result.ts";

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

test("the table counts what was met, and what could not be measured was not", () => {
  const results = [judge({ ...measured, goal: atLeast(2) }), unmeasured("y", "no PostgreSQL")];
  const report = { suite: "s", machine: "m", node: "24", date: "2026-01-01", results };
  expect(formatTable(report)).toContain("1 of 2 goals met");
  expect(formatTable(report)).toContain("y: no PostgreSQL");
});
