import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { referenceFilter } from "../testing/reference-filter.ts";
import type { JsonObject } from "./item.ts";
import { DEFAULT_LIMITS } from "./limits.ts";
import { matchesFilter } from "./match-filter.ts";
import { parseFilter } from "./parse-filter.ts";
import { compareText } from "./text.ts";

const matches = (filter: unknown, metadata: JsonObject): boolean =>
  matchesFilter(parseFilter(filter, DEFAULT_LIMITS), metadata);

describe("matchesFilter", () => {
  test.each<[unknown, JsonObject, boolean]>([
    [{ a: 1 }, { a: 1 }, true],
    [{ a: 1 }, { a: "1" }, false],
    [{ a: 1 }, {}, false],
    [{ a: { $ne: 1 } }, {}, true],
    [{ a: { $ne: 1 } }, { a: "1" }, true],
    [{ a: { $nin: [1, 2] } }, {}, true],
    [{ a: { $nin: [1, 2] } }, { a: 2 }, false],
    [{ a: { $gt: 1 } }, { a: "2" }, false],
    [{ a: { $lt: "b" } }, { a: 1 }, false],
    [{ a: { $not: { $gt: 1 } } }, { a: "2" }, true],
    [{ a: { $gt: false } }, { a: true }, true],
    [{ a: { $gte: "a" } }, { a: "a" }, true],
    [{ a: null }, { a: null }, true],
    [{ a: null }, {}, false],
    [{ a: { $exists: true } }, { a: null }, true],
    [{ a: { $exists: false } }, { a: null }, false],
    [{ a: [1, 2] }, { a: [2, 1] }, false],
    [{ a: { x: 1, y: { z: [2] } } }, { a: { y: { z: [2] }, x: 1 } }, true],
    [{ a: { x: 1 } }, { a: { x: 1, y: 2 } }, false],
    [{ a: { $eq: -0 } }, { a: 0 }, true],
    [{ constructor: { $exists: true } }, {}, false],
    [{ constructor: { $not: { $eq: "x" } } }, {}, true],
    [{ a: JSON.parse('{"__proto__":{}}') }, { a: { b: {} } }, false],
    [{ a: { b: {} } }, { a: JSON.parse('{"__proto__":{}}') }, false],
    [{ a: { $in: [] } }, { a: 1 }, false],
    [{}, { a: 1 }, true],
  ])("%j on %j: %s", (filter, metadata, expected) => {
    expect(matches(filter, metadata)).toBe(expected);
  });

  test("text is compared by code points, not by UTF-16 units", () => {
    expect(matches({ a: { $gt: "\uffff" } }, { a: "\u{10000}" })).toBe(true);
    expect(matches({ a: { $lt: "\u{1f352}" } }, { a: "\ue000" })).toBe(true);
  });

  test("a filter and its negation never agree", () => {
    const scalar = fc.oneof(fc.integer({ min: 0, max: 2 }), fc.boolean(), fc.constantFrom("", "a"));
    const operator = fc.constantFrom("$eq", "$ne", "$gt", "$gte", "$lt", "$lte");
    const metadata = fc.dictionary(fc.constantFrom("a", "b"), fc.oneof(scalar, fc.constant(null)));
    fc.assert(
      fc.property(operator, scalar, metadata, (name, operand, members) => {
        const filter = { a: { [name]: operand } };
        const isMatch = matches(filter, members);
        expect(matches({ $not: filter }, members)).toBe(!isMatch);
        expect(matches({ a: { $not: { [name]: operand } } }, members)).toBe(!isMatch);
        expect(referenceFilter(filter, members)).toBe(isMatch);
      }),
    );
  });
});

test("compareText is the order of UTF-8 bytes", () => {
  const letter = fc.constantFrom(
    "a",
    "b",
    "\u00e9",
    "\ud7ff",
    "\ue000",
    "\uffff",
    "\u{10000}",
    "\u{1f352}",
  );
  const text = fc.array(letter, { maxLength: 4 }).map((letters) => letters.join(""));
  fc.assert(
    fc.property(text, text, (left, right) => {
      const bytes = Buffer.compare(Buffer.from(left), Buffer.from(right));
      expect(Math.sign(compareText(left, right))).toBe(bytes);
    }),
  );
});
