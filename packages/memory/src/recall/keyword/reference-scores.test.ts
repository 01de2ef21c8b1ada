import fc from "fast-check";
import { expect, test } from "vitest";
import { BM25_B, BM25_K1, inverseDocumentFrequency, termWeight } from "./bm25.ts";
import { referenceScores } from "./reference-scores.ts";

const term = fc.constantFrom("a", "b", "c", "d");
const documents = fc
  .array(fc.array(term, { maxLength: 6 }), { maxLength: 8 })
  .map((all) => all.map((terms, index) => ({ id: `d${index}`, terms })));

test("one document by hand", () => {
  const documents = [
    { id: "one", terms: ["cat", "sat", "cat"] },
    { id: "two", terms: ["dog"] },
  ];
  const idf = Math.log(1 + (2 - 1 + 0.5) / (1 + 0.5));
  const damping = BM25_K1 * (1 - BM25_B + (BM25_B * 3) / 2);
  const score = (idf * (2 * (BM25_K1 + 1))) / (2 + damping);
  const scores = referenceScores(documents, ["cat", "cat", "bird"]);
  expect([...scores.keys()]).toEqual(["one"]);
  expect(scores.get("one")).toBeCloseTo(score, 12);
});

test("only holders have a score, and it is above zero", () => {
  fc.assert(
    fc.property(documents, fc.array(term, { maxLength: 4 }), (all, query) => {
      const scores = referenceScores(all, query);
      for (const { id, terms } of all) {
        const holds = terms.some((each) => query.includes(each));
        expect(scores.has(id)).toBe(holds);
        if (holds) expect(scores.get(id)).toBeGreaterThan(0);
      }
    }),
  );
});

test("repeating a query term changes nothing; terms add up", () => {
  fc.assert(
    fc.property(documents, (all) => {
      const both = referenceScores(all, ["a", "b", "a"]);
      const one = referenceScores(all, ["a"]);
      const other = referenceScores(all, ["b"]);
      for (const [id, score] of both)
        expect(score).toBeCloseTo((one.get(id) ?? 0) + (other.get(id) ?? 0), 12);
    }),
  );
});

test("a term in every document still counts a little; more occurrences count less and less", () => {
  expect(inverseDocumentFrequency(10, 10)).toBeGreaterThan(0);
  expect(inverseDocumentFrequency(10, 1)).toBeGreaterThan(inverseDocumentFrequency(10, 2));
  expect(termWeight(0, 5, 5)).toBe(0);
  expect(termWeight(2, 5, 5) - termWeight(1, 5, 5)).toBeLessThan(termWeight(1, 5, 5));
  expect(termWeight(1e9, 5, 5)).toBeLessThanOrEqual(BM25_K1 + 1);
  expect(termWeight(1, 50, 5)).toBeLessThan(termWeight(1, 5, 5));
  expect(termWeight(1, 5, 0)).toBeGreaterThan(0);
});
