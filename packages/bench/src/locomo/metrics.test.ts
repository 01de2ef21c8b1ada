import { expect, test } from "vitest";
import { reportOf } from "./metrics.ts";

const question = (category: "temporal" | "single-hop", ...evidence: string[]) => ({
  text: "?",
  category,
  evidence,
});

test("recall is the share of a question's evidence, the mean over questions; MRR takes the first", () => {
  const report = reportOf([
    { question: question("temporal", "a", "b"), ranked: ["a", "x", "y", "z", "w", "b"] },
    { question: question("single-hop", "c"), ranked: ["x", "c"] },
    { question: question("single-hop", "d"), ranked: [] },
  ]);
  expect(report.questions).toBe(3);
  expect(report.recall[1]).toBeCloseTo(50 / 3, 10);
  expect(report.recall[5]).toBeCloseTo(150 / 3, 10);
  expect(report.recall[10]).toBeCloseTo(200 / 3, 10);
  expect(report.mrr).toBeCloseTo((1 + 0.5 + 0) / 3, 10);
  expect(report.byCategory.temporal?.recall[5]).toBe(50);
  expect(report.byCategory["single-hop"]).toMatchObject({ questions: 2, mrr: 0.25 });
  expect(report.byCategory["open-domain"]).toBeUndefined();
});

test("evidence below the twentieth counts nowhere", () => {
  const ranked = [...Array.from({ length: 20 }, (_, index) => `x${index}`), "a"];
  const report = reportOf([{ question: question("temporal", "a"), ranked }]);
  expect(report.recall[20]).toBe(0);
  expect(report.mrr).toBe(0);
});

test("no questions: zeros", () => {
  expect(reportOf([])).toMatchObject({ questions: 0, mrr: 0, recall: { 1: 0, 10: 0 } });
});
