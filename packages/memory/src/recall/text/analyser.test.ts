import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createAnalyser } from "./analyser.ts";
import { LANGUAGES } from "./languages.ts";
import { TEXT_CHARS_MAX, TOKEN_CHARS_MAX, TOKENS_MAX } from "./tokens.ts";

const english = createAnalyser();
const plain = createAnalyser({ language: "none" });
const anyText = fc.string({ unit: "binary", maxLength: 60 });

describe("English", () => {
  test.each([
    ["running runs RAN", "run run run"],
    ["The children's photographs", "child photo"],
    ["Anna's dog and Anna\u2019s dogs", "anna dog anna dog"],
    ["I don't, can't and won't; we'll see", "see"],
    ["Don won the race", "don win race"],
    ["She went camping", "go camp"],
    ["caf\u00e9 CAFE\u0301 \uff23\uff21\uff26\uff25", "caf\u00e9 caf\u00e9 cafe"],
    ["C3PO, 2023-05-07", "c3po 2023 05 07"],
    ["university universe", "universiti univers"],
    ["constructor __proto__ toString", "constructor proto tostr"],
  ])("%j is %j", (text, terms) => {
    expect(english.terms(text).join(" ")).toBe(terms);
  });

  test("terms keep order and duplicates", () => {
    expect(english.terms("dog cat dog")).toEqual(["dog", "cat", "dog"]);
  });
});

test.each([
  ["de", "H\u00e4user und das Haus", "haus haus"],
  ["es", "los trabajadores", "trabaj"],
  ["fr", "les chevaux continuellement", "cheval continuel"],
  ["ru", "\u043a\u043d\u0438\u0433\u0438", "\u043a\u043d\u0438\u0433"],
] as const)("%s: %j is %j", (language, text, terms) => {
  expect(createAnalyser({ language }).terms(text).join(" ")).toBe(terms);
});

test("a script without spaces is read in pairs, beside words of others", () => {
  expect(plain.terms("\u6771\u4eac\u90fdabc \u732b")).toEqual([
    "\u6771\u4eac",
    "\u4eac\u90fd",
    "abc",
    "\u732b",
  ]);
});

describe("any text", () => {
  test("the same text in another Unicode form has the same terms", () => {
    fc.assert(
      fc.property(anyText, (text) => {
        for (const form of ["NFC", "NFD", "NFKC", "NFKD"] as const)
          expect(english.terms(text.normalize(form))).toEqual(english.terms(text));
      }),
      { numRuns: 1000 },
    );
  });

  test("words without stemming are read again as themselves", () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const words = plain.terms(text);
        expect(plain.terms(words.join(" "))).toEqual(words);
      }),
      { numRuns: 1000 },
    );
  });

  test("no language makes an empty or over-long term, or answers differently the second time", () => {
    for (const language of LANGUAGES) {
      const analyser = createAnalyser({ language });
      fc.assert(
        fc.property(fc.oneof(anyText, fc.constantFrom("constructor", "__proto__ a")), (text) => {
          const terms = analyser.terms(text);
          expect(analyser.terms(text)).toEqual(terms);
          for (const term of terms) {
            expect(term).not.toBe("");
            expect(term.length).toBeLessThanOrEqual(TOKEN_CHARS_MAX + 2);
          }
        }),
        { numRuns: 100 },
      );
    }
  });

  test.each([
    ["one word", "a".repeat(TEXT_CHARS_MAX)],
    ["words", "word ".repeat(TEXT_CHARS_MAX / 4)],
    ["apostrophes", "'s".repeat(TEXT_CHARS_MAX / 2)],
    ["letters that grow", "\ufdfa".repeat(TEXT_CHARS_MAX)],
    ["marks", `a${"\u0301".repeat(TEXT_CHARS_MAX)}`],
    ["ideographs", "\u6771".repeat(TEXT_CHARS_MAX)],
    ["lone surrogates", "\ud83c".repeat(TEXT_CHARS_MAX)],
  ])("a megabyte of %s is bounded", (_, text) => {
    const terms = english.terms(text);
    expect(terms.length).toBeLessThanOrEqual(TOKENS_MAX);
    for (const term of terms) expect(term.length).toBeLessThanOrEqual(TOKEN_CHARS_MAX + 2);
  });

  test("a long word is never cut within a letter", () => {
    const word = `${"a".repeat(TOKEN_CHARS_MAX - 1)}\u{20000}`;
    expect(plain.terms(word.replace("\u{20000}", "\u{10400}b"))[0]?.isWellFormed()).toBe(true);
  });
});
