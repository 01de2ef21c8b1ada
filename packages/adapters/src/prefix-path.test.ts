import fc from "fast-check";
import { expect, test } from "vitest";
import { pathOf, placeOf } from "./prefix-path.ts";

const part = fc.oneof(
  fc.constantFrom("", ".", "%", "a", "b", "a/b", "x".repeat(100), "y".repeat(300)),
  fc.string({ maxLength: 3 }),
);
const text = fc.array(part, { minLength: 1, maxLength: 12 }).map((parts) => parts.join(":"));

test.each([
  ["key", [], "key"],
  ["users:1", ["users"], "1"],
  ["users:posts:1", ["users", "posts"], "1"],
  ["users:", ["users"], "%"],
  [":1", ["%"], "1"],
  ["a/b:1", ["a%002fb"], "1"],
  ["1:2:3:4:5:6:7:8:9:10", ["1", "2", "3", "4", "5", "6", "7", "8"], "9:10"],
])("%j lies in %j as %j", (given, path, key) => {
  expect(placeOf(given)).toEqual({ path, key });
});

test("two keys never share a place", () => {
  fc.assert(
    fc.property(text, text, (one, other) => {
      const [a, b] = [placeOf(one), placeOf(other)];
      const same = a.path.join("/") === b.path.join("/") && a.key === b.key;
      expect(same).toBe(one === other);
    }),
  );
});

test("what a prefix's namespace holds is what begins with the prefix and a colon", () => {
  fc.assert(
    fc.property(text, text, fc.boolean(), (prefix, rest, begins) => {
      let path: readonly string[];
      try {
        path = pathOf(prefix);
      } catch {
        return fc.pre(false);
      }
      const key = begins ? `${prefix}:${rest}` : rest;
      const inside = path.every((segment, depth) => placeOf(key).path[depth] === segment);
      expect(inside).toBe(prefix === "" || key.startsWith(`${prefix}:`));
    }),
  );
});

test("a prefix that does not fit into a namespace is refused", () => {
  expect(pathOf("1:2:3:4:5:6:7:8")).toHaveLength(8);
  for (const prefix of ["1:2:3:4:5:6:7:8:9", `${"x".repeat(150)}:${"y".repeat(150)}`])
    expect(() => pathOf(prefix)).toThrow(expect.objectContaining({ code: "INVALID_NAMESPACE" }));
});
