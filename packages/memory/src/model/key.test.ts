import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { MemoryError } from "./errors.ts";
import { checkKey, checkNamespace, isWithin, joinNamespace } from "./key.ts";
import { DEFAULT_LIMITS } from "./limits.ts";

const limits = DEFAULT_LIMITS;

function refused(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    if (error instanceof MemoryError) return `${error.code} ${error.field}`;
    throw error;
  }
  return "accepted";
}

describe("checkKey", () => {
  test.each(["a", " ", "__proto__", "constructor", "a/b", "...", ".a", "\n", "\u{1f352}", "%2F"])(
    "%j is an ordinary key",
    (key) => {
      expect(checkKey(key, limits)).toBe(key);
    },
  );

  test.each(["", ".", "..", "a\u0000b", "\ud83c", "\udf52x", 7, null, undefined, ["a"], {}])(
    "%j is refused",
    (key) => {
      expect(refused(() => checkKey(key, limits))).toBe("INVALID_KEY key");
    },
  );

  test("the limit counts UTF-8 bytes", () => {
    expect(checkKey("k".repeat(1024), limits)).toHaveLength(1024);
    expect(refused(() => checkKey("k".repeat(1025), limits))).toBe("INVALID_KEY key");
    expect(checkKey("\u00e9".repeat(512), limits)).toHaveLength(512);
    expect(refused(() => checkKey(`${"\u00e9".repeat(512)}a`, limits))).toBe("INVALID_KEY key");
    expect(checkKey("\u{1f352}".repeat(256), limits)).toHaveLength(512);
    expect(refused(() => checkKey(`${"\u{1f352}".repeat(256)}a`, limits))).toBe("INVALID_KEY key");
    expect(checkKey("\u20ac".repeat(341), limits)).toHaveLength(341);
    expect(refused(() => checkKey("\u20ac".repeat(342), limits))).toBe("INVALID_KEY key");
  });

  test("the message is short, whatever the key", () => {
    expect(() => checkKey("x".repeat(1_000_000), limits)).toThrow(/^key: .{20,200}$/);
  });
});

describe("checkNamespace", () => {
  test("text and segments mean the same", () => {
    expect(checkNamespace("acme/agent-7", limits)).toBe("acme/agent-7");
    expect(checkNamespace(["acme", "agent-7"], limits)).toBe("acme/agent-7");
    expect(checkNamespace("", limits)).toBe("");
    expect(checkNamespace([], limits)).toBe("");
    expect(checkNamespace(["__proto__", "a b"], limits)).toBe("__proto__/a b");
  });

  test.each([
    ["a//b"],
    ["/a"],
    ["a/"],
    ["/"],
    ["a/../b"],
    ["."],
    ["a\u0000"],
    ["\ud83c"],
    [["a/b"]],
    [[""]],
    [["a", ".."]],
    [["a", 7]],
    [7],
    [null],
    [undefined],
    [{ length: 1 }],
  ])("%j is refused", (path) => {
    expect(refused(() => checkNamespace(path, limits))).toMatch(/^INVALID_NAMESPACE namespace/);
  });

  test("at and beyond its limits", () => {
    const sixteen = Array.from({ length: 16 }, () => "s");
    expect(checkNamespace(sixteen, limits)).toHaveLength(31);
    expect(refused(() => checkNamespace([...sixteen, "s"], limits))).toMatch(/^INVALID_NAMESPACE/);
    expect(checkNamespace("n".repeat(512), limits)).toHaveLength(512);
    expect(refused(() => checkNamespace("n".repeat(513), limits))).toMatch(/^INVALID_NAMESPACE/);
    const half = "n".repeat(256);
    expect(refused(() => checkNamespace([half, half], limits))).toMatch(/^INVALID_NAMESPACE/);
    expect(refused(() => checkNamespace("/".repeat(5_000_000), limits))).toMatch(/^INVALID/);
  });
});

describe("joinNamespace", () => {
  test("the root adds nothing on either side", () => {
    expect(joinNamespace("", "a/b", limits)).toBe("a/b");
    expect(joinNamespace("a", "", limits)).toBe("a");
    expect(joinNamespace("a", ["b", "c"], limits)).toBe("a/b/c");
  });

  test("the limits hold for the whole", () => {
    expect(refused(() => joinNamespace("n".repeat(500), "n".repeat(12), limits))).toMatch(
      /^INVALID_NAMESPACE/,
    );
    const ten = Array.from({ length: 10 }, () => "s").join("/");
    expect(refused(() => joinNamespace(ten, ten, limits))).toMatch(/^INVALID_NAMESPACE/);
  });
});

test("isWithin goes by whole segments", () => {
  const segment = fc.constantFrom("a", "ab", "b", "1", "10");
  const path = fc.array(segment, { maxLength: 4 });
  fc.assert(
    fc.property(path, path, (inner, outer) => {
      const expected = outer.every((name, index) => inner[index] === name);
      expect(isWithin(inner.join("/"), outer.join("/"))).toBe(expected);
    }),
  );
});
