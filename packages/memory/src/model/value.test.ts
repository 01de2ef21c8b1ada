import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { MemoryError } from "./errors.ts";
import { DEFAULT_LIMITS } from "./limits.ts";
import { checkMetadata, checkTags, checkTtl, checkValue, deepFreeze } from "./value.ts";

const limits = DEFAULT_LIMITS;

function refusal(work: () => unknown): MemoryError {
  try {
    work();
  } catch (error) {
    if (error instanceof MemoryError) return error;
    throw error;
  }
  throw new Error("it was accepted");
}

function nested(depth: number): unknown {
  let value: unknown = 1;
  for (let level = 0; level < depth; level += 1) value = level % 2 === 0 ? [value] : { a: value };
  return value;
}

describe("checkValue", () => {
  test("JSON passes as the very same value", () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5 }), (value) => {
        expect(checkValue(value, limits)).toBe(value);
      }),
    );
  });

  test("text keeps NUL and lone surrogates", () => {
    expect(checkValue("\u0000\ud800", limits)).toBe("\u0000\ud800");
  });

  test("a member named __proto__ is an ordinary one, also beside a Date", () => {
    const value: unknown = JSON.parse('{"__proto__":{"x":1},"a":2}');
    expect(JSON.stringify(checkValue(value, limits))).toBe('{"__proto__":{"x":1},"a":2}');
    const dated: { [name: string]: unknown } = JSON.parse('{"__proto__":{"x":1}}');
    dated["at"] = new Date(0);
    expect(JSON.stringify(checkValue(dated, limits))).toBe(
      '{"__proto__":{"x":1},"at":"1970-01-01T00:00:00.000Z"}',
    );
  });

  test("a Date becomes ISO 8601 text and what was given stays as it was", () => {
    const given = { a: [1, new Date(0), { at: new Date(1) }], b: { c: 1 } };
    const checked = checkValue(given, limits);
    expect(checked).toEqual({
      a: [1, "1970-01-01T00:00:00.000Z", { at: "1970-01-01T00:00:00.001Z" }],
      b: { c: 1 },
    });
    expect(given.a[1]).toBeInstanceOf(Date);
  });

  test.each([
    ["undefined", undefined],
    ["a member that is undefined", { a: undefined }],
    ["a hole", Array.from({ length: 2 })],
    ["a function", { a: () => 1 }],
    ["a symbol", Symbol("s")],
    ["NaN", [Number.NaN]],
    ["Infinity", { a: -Infinity }],
    ["a bigint", { a: 1n }],
    ["a Map", new Map([["a", 1]])],
    ["a Set", new Set([1])],
    ["a Buffer", Buffer.from("a")],
    ["a typed array", new Float32Array(2)],
    ["an invalid Date", new Date(Number.NaN)],
    ["an Error", new Error("e")],
    ["a RegExp", /a/],
    ["a class instance", new (class Point {})()],
    ["a promise", Promise.resolve(1)],
    ["a boxed string", Object("s")],
    ["a toJSON member", { toJSON: () => 1 }],
    ["an array with toJSON", Object.assign([1], { toJSON: () => 2 })],
  ])("%s is refused with advice", (_, value) => {
    const error = refusal(() => checkValue(value, limits));
    expect(error.code).toBe("INVALID_VALUE");
    expect(error.field).toMatch(/^value/);
    expect(error.message.length).toBeLessThan(200);
  });

  test("objects without a prototype and from another realm are plain", () => {
    const bare: unknown = Object.assign(Object.create(null), { a: 1 });
    expect(checkValue(bare, limits)).toBe(bare);
  });

  test("the message names the place", () => {
    const error = refusal(() => checkValue({ users: [{ name: "a" }, { name: 1n }] }, limits));
    expect(error.field).toBe("value.users[1].name");
  });

  test("64 levels are allowed, 65 are not", () => {
    expect(checkValue(nested(64), limits)).toBeDefined();
    expect(refusal(() => checkValue(nested(65), limits)).message).toMatch(/more than 64 deep/);
  });

  test("100,000 levels are refused like 65, without a stack overflow", () => {
    expect(refusal(() => checkValue(nested(100_000), limits)).code).toBe("INVALID_VALUE");
  });

  test("a cycle is called one", () => {
    const cyclic: { [name: string]: unknown } = { text: "x".repeat(50_000) };
    cyclic["list"] = [1, { cyclic }];
    expect(refusal(() => checkValue(cyclic, limits)).message).toMatch(/a cycle/);
  });

  test("one object in two places is no cycle", () => {
    const shared = { a: 1 };
    expect(checkValue([shared, { shared }], limits)).toBeDefined();
  });

  test("one object shared 2^60 times is refused at once", () => {
    let value: unknown = 1;
    for (let level = 0; level < 60; level += 1) value = [value, value];
    expect(refusal(() => checkValue(value, limits)).code).toBe("VALUE_TOO_LARGE");
  });

  test("no more is counted than JSON takes", () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), (value) => {
        const exactly = { ...limits, valueBytes: Buffer.byteLength(JSON.stringify(value)) };
        expect(checkValue(value, exactly)).toBe(value);
      }),
    );
  });
});

describe("checkMetadata", () => {
  test("gives a copy of its own", () => {
    const given = { a: { b: [1] } };
    const checked = checkMetadata(given, limits);
    given.a.b.push(2);
    expect(checked).toEqual({ a: { b: [1] } });
  });

  test.each([
    ["an array", []],
    ["null", null],
    ["text", "a"],
    ["NUL in text", { a: "x\u0000" }],
    ["NUL in a name", { "x\u0000": 1 }],
    ["a lone surrogate", { a: ["\ud800"] }],
    ["a lone surrogate in a name", { "\udfff": 1 }],
    ["undefined", { a: undefined }],
    ["depth", nested(66)],
  ])("%s is refused", (_, value) => {
    expect(refusal(() => checkMetadata(value, limits)).code).toBe("INVALID_METADATA");
  });

  test("at and beyond its bytes", () => {
    const overhead = JSON.stringify({ a: "" }).length;
    const text = "x".repeat(limits.metadataBytes - overhead);
    expect(checkMetadata({ a: text }, limits)).toEqual({ a: text });
    expect(refusal(() => checkMetadata({ a: `${text}x` }, limits)).code).toBe("INVALID_METADATA");
    const wide = "\u20ac".repeat(limits.metadataBytes / 3);
    expect(refusal(() => checkMetadata({ a: wide }, limits)).code).toBe("INVALID_METADATA");
  });
});

describe("checkTags", () => {
  test("drops duplicates and keeps the order", () => {
    expect(checkTags(["b", "a", "b"], limits)).toEqual(["b", "a"]);
    expect(checkTags([], limits)).toEqual([]);
  });

  test.each([["a"], [[1]], [[""]], [["a\u0000"]], [["\ud800"]], [{}], [null], [["x".repeat(129)]]])(
    "%j is refused",
    (tags) => {
      expect(refusal(() => checkTags(tags, limits)).code).toBe("INVALID_TAGS");
    },
  );

  test("at and beyond its limits", () => {
    const tags = Array.from({ length: 32 }, (_, index) => `t${index}`);
    expect(checkTags(["x".repeat(128)], limits)).toHaveLength(1);
    expect(checkTags([...tags, ...tags], limits)).toHaveLength(32);
    expect(refusal(() => checkTags([...tags, "one more"], limits)).code).toBe("INVALID_TAGS");
  });
});

describe("checkTtl", () => {
  test.each([0.001, 1, 59.5, limits.ttlSeconds, Number.MIN_VALUE])("%d is a lifetime", (ttl) => {
    expect(checkTtl(ttl, limits)).toBe(ttl);
  });

  test.each([0, -1, Number.NaN, Infinity, limits.ttlSeconds + 1, "60", null, undefined, 1n, {}])(
    "%s is refused",
    (ttl) => {
      const error = refusal(() => checkTtl(ttl, limits));
      expect([error.code, error.field]).toEqual(["INVALID_TTL", "ttlSeconds"]);
    },
  );
});

test("deepFreeze leaves nothing that can change", () => {
  const everywhere = (value: unknown): boolean =>
    typeof value !== "object" ||
    value === null ||
    (Object.isFrozen(value) && Object.values(value).every(everywhere));
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 5 }), (value) => {
      expect(everywhere(deepFreeze(value))).toBe(true);
    }),
  );
});
