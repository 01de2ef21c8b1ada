import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { referenceGlob } from "../testing/reference-glob.ts";
import { MemoryError } from "./errors.ts";
import { checkPattern, globPrefix, globToRegexSource, matchGlob } from "./glob.ts";
import { DEFAULT_LIMITS } from "./limits.ts";

const limits = DEFAULT_LIMITS;
/** Few letters, so that matches are common, and everything that is special somewhere. */
const LETTERS = [..."aab-*?[]!\\^%_:/.$(){}|+\n", "\u{1f352}", "\u00e9", "\uffff"];
const text = fc.array(fc.constantFrom(...LETTERS), { maxLength: 8 }).map((all) => all.join(""));
const validPattern = text.filter((pattern) => {
  try {
    return checkPattern(pattern, limits) !== "";
  } catch {
    return false;
  }
});

describe("matchGlob", () => {
  test.each([
    ["*", "anything\n at all", true],
    ["user:*", "user:1", true],
    ["user:*", "USER:1", false],
    ["user:?", "user:\u{1f352}", true],
    ["a_b", "axb", false],
    ["50%", "501", false],
    ["doc:01?", "doc:012", true],
    ["doc:[01]*", "doc:199", true],
    ["doc:[!01]*", "doc:199", false],
    ["doc:[!01]*", "doc:299", true],
    ["[a-c]", "b", true],
    ["[a-c]", "-", false],
    ["[a-]", "-", true],
    ["[-a]", "-", true],
    ["[\\]]", "]", true],
    ["[a\\-c]", "b", false],
    ["[^a]", "^", true],
    ["[\u{1f350}-\u{1f35f}]", "\u{1f352}", true],
    ["\\*", "*", true],
    ["\\*", "x", false],
    ["\\a", "a", true],
    ["a**b", "axyzb", true],
    ["a/*", "a/b/c", true],
    ["a", "ab", false],
    ["ab", "a", false],
  ])("%j and %j: %s", (pattern, key, expected) => {
    expect(matchGlob(checkPattern(pattern, limits), key)).toBe(expected);
  });

  test("agrees with the reference and with its regular expression", () => {
    fc.assert(
      fc.property(validPattern, text, (pattern, key) => {
        const expected = referenceGlob(pattern, key);
        expect(matchGlob(pattern, key)).toBe(expected);
        expect(new RegExp(globToRegexSource(pattern), "u").test(key)).toBe(expected);
      }),
      { numRuns: 5000 },
    );
  });

  test("a pattern made from a key matches it", () => {
    fc.assert(
      fc.property(text, (key) => {
        const literal = key.replaceAll(/[*?[\]\\]/gu, "\\$&");
        expect(matchGlob(literal, key)).toBe(true);
        expect(globPrefix(literal)).toEqual({ prefix: key, exact: true });
      }),
    );
  });

  test("many stars cost no more than pattern times key", () => {
    const pattern = `${"*a".repeat(500)}*b`;
    expect(matchGlob(pattern, "a".repeat(1024))).toBe(false);
    expect(matchGlob(pattern, `${"a".repeat(1000)}b`)).toBe(true);
  });
});

test("every match begins with the prefix", () => {
  fc.assert(
    fc.property(validPattern, text, (pattern, key) => {
      const { prefix, exact } = globPrefix(pattern);
      if (matchGlob(pattern, key)) expect(key.startsWith(prefix)).toBe(true);
      if (exact) expect(matchGlob(pattern, key)).toBe(key === prefix);
    }),
    { numRuns: 2000 },
  );
});

test("the prefix is unescaped and ends at the first wildcard", () => {
  expect(globPrefix("user:*")).toEqual({ prefix: "user:", exact: false });
  expect(globPrefix("a\\*b?c")).toEqual({ prefix: "a*b", exact: false });
  expect(globPrefix("[a]b")).toEqual({ prefix: "", exact: false });
});

describe("checkPattern", () => {
  test.each([
    "",
    "[a",
    "[",
    "[!",
    "a\\",
    "[a\\",
    "[]",
    "[!]",
    "[z-a]",
    "a\u0000",
    "\ud800",
    7,
    null,
  ])("%j is refused", (pattern) => {
    let refused: unknown;
    try {
      checkPattern(pattern, limits);
    } catch (error) {
      refused = error;
    }
    expect(refused).toBeInstanceOf(MemoryError);
    expect(refused).toMatchObject({ code: "INVALID_PATTERN", field: "pattern" });
  });

  test("at and beyond its bytes", () => {
    expect(checkPattern("a".repeat(1024), limits)).toHaveLength(1024);
    expect(() => checkPattern("a".repeat(1025), limits)).toThrow(/1024 bytes/);
  });
});
