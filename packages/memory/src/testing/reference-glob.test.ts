import fc from "fast-check";
import { expect, test } from "vitest";
import { globToRegexSource, matchGlob } from "../model/glob.ts";
import { referenceGlob } from "./reference-glob.ts";

const character = fc.constantFrom("a", "b", "c", "-", "]", "!", "\\", "*", "?", "[", "\u{1f352}");
const key = fc.array(character, { maxLength: 8 }).map((parts) => parts.join(""));
const literal = character.map((char) => (/[\\*?[]/.test(char) ? `\\${char}` : char));
const member = character.map((char) => `\\${char}`);
const range = fc.constantFrom("a-c", "a-b", "\\--\\]", "\u{1f351}-\u{1f353}");
const set = fc
  .tuple(fc.boolean(), fc.array(fc.oneof(member, range), { minLength: 1, maxLength: 3 }))
  .map(([negated, members]) => `[${negated ? "!" : ""}${members.join("")}]`);
const part = fc.oneof(literal, fc.constantFrom("*", "?"), set);
const pattern = fc.array(part, { minLength: 1, maxLength: 6 }).map((parts) => parts.join(""));

test("the matcher and its regular expression mean what the reference means", () => {
  fc.assert(
    fc.property(pattern, key, (glob, text) => {
      const expected = referenceGlob(glob, text);
      expect(matchGlob(glob, text)).toBe(expected);
      expect(new RegExp(globToRegexSource(glob), "u").test(text)).toBe(expected);
    }),
    { numRuns: 3_000 },
  );
});

test.each([
  ["user:*", "user:1", true],
  ["user:*", "User:1", false],
  ["a?c", "abc", true],
  ["a?c", "ac", false],
  ["[!a-c]", "d", true],
  ["[!a-c]", "b", false],
  ["\\*", "*", true],
  ["\\*", "x", false],
  ["[\\]]", "]", true],
  ["*", "", true],
])("%j on %j is %j", (glob, text, expected) => {
  expect(referenceGlob(glob, text)).toBe(expected);
});
