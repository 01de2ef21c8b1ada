import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { SEARCHABLE_BYTES_MAX } from "../../model/indexing.ts";
import type { JsonValue } from "../../model/item.ts";
import { searchableText } from "./searchable-text.ts";

describe("what of an item is searched", () => {
  test.each<[string, JsonValue, string | undefined, string]>([
    ["a text itself", "one two", undefined, "one two"],
    [
      "the texts of a value in order",
      { b: "one", a: [2, "three", { c: null, d: "" }], e: "four" },
      undefined,
      "one\nthree\nfour",
    ],
    ["nothing of a number", 42, undefined, ""],
    ["a text that was given", { a: "one" }, "other words", "other words"],
    ["no text when none was given", { a: "one" }, "", ""],
    ["what lies at a path", { body: "one", title: "two" }, "$.body", "one"],
    [
      "deep in it",
      { turns: [{ text: "one" }, { "the text": "two" }] },
      '$.turns[1]["the text"]',
      "two",
    ],
    ["the texts below a path", { body: ["one", { a: "two" }] }, "$.body", "one\ntwo"],
    ["nothing where the path leads nowhere", { body: "one" }, "$.toString", ""],
    ["nothing at a place beyond a list", ["one"], "$[1]", ""],
    ["a dollar that begins no path", {}, "$5 a day", "$5 a day"],
  ])("%s", (_, value, text, expected) => {
    expect(searchableText(value, text === undefined ? undefined : { text })).toBe(expected);
  });

  test("at most 8 KB of it, never within a character", () => {
    const text = fc.string({ unit: "binary", minLength: 1, maxLength: 9 });
    const long = fc
      .tuple(text, fc.integer({ min: 1, max: 5_000 }))
      .map(([part, times]) => part.repeat(times));
    fc.assert(
      fc.property(fc.array(long, { maxLength: 4 }), (texts) => {
        const found = searchableText(texts, undefined);
        const whole = texts.join("\n");
        expect(Buffer.byteLength(found)).toBeLessThanOrEqual(SEARCHABLE_BYTES_MAX);
        expect(whole.startsWith(found)).toBe(true);
        // A character is four bytes at most.
        if (found !== whole)
          expect(Buffer.byteLength(found)).toBeGreaterThan(SEARCHABLE_BYTES_MAX - 5);
      }),
    );
  });
});
