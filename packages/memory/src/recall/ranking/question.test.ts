import { describe, expect, test } from "vitest";
import { createAnalyser } from "../text/analyser.ts";
import { analyseQuestion, intervalsAsked, QUESTION_TERMS_MAX } from "./question.ts";

const analyser = createAnalyser();

describe("a question", () => {
  test("keeps its terms in order, and each word with the term it became", () => {
    const question = analyseQuestion(analyser, "What did Anna's dogs do with the other dog?");
    expect(question.sequence).toEqual(["anna", "dog", "dog"]);
    expect(question.terms).toEqual(["anna", "dog"]);
    expect(question.words.get("anna")).toBe("anna");
    expect(question.words.get("what")).toBeUndefined();
    expect(question.words.has("what")).toBe(true);
  });

  test.each([
    ["When did she move?", ["time"]],
    ["How many dogs has he?", ["number"]],
    ["Where did they meet?", ["place"]],
    ["Why did she leave?", ["reason"]],
    ["What is it?", []],
  ] as const)("%j asks for %j", (text, traits) => {
    expect([...analyseQuestion(analyser, text).asked]).toEqual(traits);
  });

  test("asks for nothing in another language, but for its dates", () => {
    const german = createAnalyser({ language: "de" });
    const question = analyseQuestion(german, "When did she move in 2023?");
    expect(question.asked.size).toBe(0);
    expect(question.dates).toEqual([{ year: 2023, months: 1 }]);
  });

  test("a megabyte of it is bounded", () => {
    const long = Array.from({ length: 100_000 }, (_, index) => `word${index}`).join(" ");
    expect(analyseQuestion(analyser, long).terms.length).toBeLessThanOrEqual(QUESTION_TERMS_MAX);
  });
});

test("a date without a year may be of any year at hand", () => {
  const question = analyseQuestion(analyser, "What happened on May 8?");
  expect(intervalsAsked(question, [2022, 2023])).toHaveLength(2);
  expect(intervalsAsked(question, [])).toEqual([]);
  const dated = analyseQuestion(analyser, "What happened on May 8, 2021?");
  expect(intervalsAsked(dated, [2022, 2023])).toHaveLength(1);
});
