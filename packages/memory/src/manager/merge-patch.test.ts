import { expect, test } from "vitest";
import { DEFAULT_LIMITS } from "../model/limits.ts";
import type { JsonValue } from "../model/item.ts";
import { mergePatch } from "./merge-patch.ts";

// The examples of RFC 7396, appendix A.
const EXAMPLES: readonly (readonly [JsonValue, JsonValue, JsonValue])[] = [
  [{ a: "b" }, { a: "c" }, { a: "c" }],
  [{ a: "b" }, { b: "c" }, { a: "b", b: "c" }],
  [{ a: "b" }, { a: null }, {}],
  [{ a: "b", b: "c" }, { a: null }, { b: "c" }],
  [{ a: ["b"] }, { a: "c" }, { a: "c" }],
  [{ a: "c" }, { a: ["b"] }, { a: ["b"] }],
  [{ a: { b: "c" } }, { a: { b: "d", c: null } }, { a: { b: "d" } }],
  [{ a: [{ b: "c" }] }, { a: [1] }, { a: [1] }],
  [
    ["a", "b"],
    ["c", "d"],
    ["c", "d"],
  ],
  [{ a: "b" }, ["c"], ["c"]],
  [{ a: "foo" }, null, null],
  [{ a: "foo" }, "bar", "bar"],
  [{ e: null }, { a: 1 }, { e: null, a: 1 }],
  [[1, 2], { a: "b", c: null }, { a: "b" }],
  [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
];

test.each(EXAMPLES)("%j patched by %j is %j", (current, patch, expected) => {
  expect(mergePatch(current, patch, DEFAULT_LIMITS)).toEqual(expected);
});

test("__proto__ is a member like any other", () => {
  const patch: unknown = JSON.parse('{"__proto__": {"polluted": true}}');
  const merged = mergePatch({ a: 1 }, patch, DEFAULT_LIMITS);
  expect(JSON.stringify(merged)).toBe('{"a":1,"__proto__":{"polluted":true}}');
  expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
});

test("what is patched is not changed itself", () => {
  const current = Object.freeze({ a: Object.freeze({ b: 1 }) });
  mergePatch(current, { a: { b: 2 } }, DEFAULT_LIMITS);
  expect(current).toEqual({ a: { b: 1 } });
});
