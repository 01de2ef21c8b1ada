import { DEFAULT_LIMITS, checkKey, checkNamespace } from "@cherry-ai/memory";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { givenKey, storedKey, storedSegment } from "./names.ts";

/** Any string of UTF-16 units, with those that a memory refuses more often than chance has them. */
const anyText = fc
  .array(
    fc.oneof(
      fc.constantFrom("", ".", "/", ":", "%", "%~", "%002e", "\u0000", "\ud800", "\udc00", "😀"),
      fc.string({ unit: "binary", maxLength: 4 }),
      fc.integer({ min: 900, max: 1100 }).map((length) => "k".repeat(length)),
    ),
    // Three of the long ones are still within what a key may be.
    { maxLength: 3 },
  )
  .map((parts) => parts.join(""));

describe("keys", () => {
  test.each([
    ["user:1", "user:1"],
    ["__proto__", "__proto__"],
    ["a/b", "a/b"],
    ["", "%"],
    [".", "%002e"],
    ["..", "%002e%002e"],
    ["...", "..."],
    ["100%", "100%0025"],
    ["a\u0000b", "a%0000b"],
    ["\ud83d", "%d83d"],
    ["😀", "😀"],
  ])("%j is stored as %j", (given, stored) => {
    expect(storedKey(given)).toEqual({ key: stored });
  });

  test("every string becomes a legal key, and comes back", () => {
    fc.assert(
      fc.property(anyText, (given) => {
        const stored = storedKey(given);
        expect(checkKey(stored.key, DEFAULT_LIMITS)).toBe(stored.key);
        expect(givenKey(stored)).toBe(given);
      }),
    );
  });

  test("two strings never become the same key", () => {
    fc.assert(
      fc.property(anyText, anyText, (one, other) => {
        expect(storedKey(one).key === storedKey(other).key).toBe(one === other);
      }),
    );
  });

  test("long keys that differ in their last character stay apart", () => {
    const long = "é".repeat(600);
    const stored = storedKey(`${long}1`);
    expect(Buffer.byteLength(stored.key)).toBeLessThanOrEqual(DEFAULT_LIMITS.keyBytes);
    expect(stored.key.startsWith("é".repeat(400))).toBe(true);
    expect(storedKey(`${long}2`).key).not.toBe(stored.key);
    expect(givenKey(stored)).toBe(`${long}1`);
  });

  test("exactly the longest key is stored as it is", () => {
    const longest = "k".repeat(DEFAULT_LIMITS.keyBytes);
    expect(storedKey(longest)).toEqual({ key: longest });
    expect(storedKey(`${longest}k`).key).not.toBe(`${longest}k`);
  });

  test("what is too long to be kept beside its item is refused", () => {
    expect(storedKey("k".repeat(4096)).key).toHaveLength(DEFAULT_LIMITS.keyBytes);
    expect(() => storedKey("k".repeat(4097))).toThrow(
      expect.objectContaining({ code: "INVALID_KEY" }),
    );
  });
});

describe("segments", () => {
  test("every string becomes one legal segment of a namespace, and no two the same", () => {
    fc.assert(
      fc.property(anyText, anyText, (one, other) => {
        const segment = storedSegment(one);
        expect(checkNamespace([segment], DEFAULT_LIMITS)).toBe(segment);
        expect(segment === storedSegment(other)).toBe(one === other);
      }),
    );
  });
});
