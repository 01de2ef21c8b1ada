import assert from "node:assert/strict";
import { expectCode } from "../expect-code.ts";
import type { SuiteCase } from "../suite.ts";
import { memoryCase, untyped } from "./fixture.ts";
import type { MemoryMaker } from "./fixture.ts";

const JSON_VALUES: readonly string[] = [
  "null",
  "true",
  "false",
  "0",
  "-1.5",
  "1e300",
  "5e-324",
  "9007199254740993",
  '""',
  '"text"',
  '"\\u0000"',
  '"\\ud800"',
  '"\u{1f352} e\u0301"',
  "[]",
  "{}",
  "[null,[],{}]",
  '{"":1}',
  '{"__proto__":{"polluted":true},"constructor":1,"toJSON":"text"}',
  '{"a":{"b":{"c":[1,2,{"d":null}]}}}',
  JSON.stringify('\n\t\u2028\u2029\\"/'),
  JSON.stringify(Array.from({ length: 5_000 }, (_, n) => ({ n }))),
];

class Point {
  readonly x = 1;
}

const cyclic: { self?: unknown } = {};
cyclic.self = cyclic;

const REFUSED: readonly (readonly [string, unknown])[] = [
  ["undefined", undefined],
  ["a function", () => 1],
  ["a symbol", Symbol("s")],
  ["NaN", Number.NaN],
  ["Infinity", Number.NEGATIVE_INFINITY],
  ["a bigint", 1n],
  ["a Map", new Map()],
  ["a Set", new Set()],
  ["a typed array", new Uint8Array(2)],
  ["a Buffer", Buffer.from("x")],
  ["a class instance", new Point()],
  ["an Error", new Error("x")],
  ["a RegExp", /x/],
  ["an invalid date", new Date(Number.NaN)],
  ["a cycle", cyclic],
  ["undefined in an object", { a: undefined }],
  ["undefined in a list", [undefined]],
  ["a hole in a list", Array.from({ length: 1 }).concat(new Array<unknown>(2))],
  ["a function inside", { a: [{ b: () => 1 }] }],
  ["NaN inside", [Number.NaN]],
];

/** Values of every JSON kind come back as they were; everything else is refused. */
export function valueCases(maker: MemoryMaker): SuiteCase[] {
  return [
    ...JSON_VALUES.map((json) =>
      memoryCase(maker, `kept: ${json.slice(0, 40)}`, async ({ memory }) => {
        const value: unknown = untyped(json);
        await memory.set("k", value, { tierHint: "l0" });
        for (const consistency of ["any", "latest", "any", "any"] as const) {
          const read = await memory.get("k", { consistency });
          assert.equal(JSON.stringify(read), JSON.stringify(value));
          assert.deepEqual(read, value);
        }
        const item = await memory.getItem("k");
        assert.equal(item?.sizeBytes, Buffer.byteLength(JSON.stringify(value)));
        assert.equal(Reflect.get({}, "polluted"), undefined);
      }),
    ),
    ...REFUSED.map(([what, value]) =>
      memoryCase(maker, `refused: ${what}`, async ({ memory }) => {
        await memory.set("k", "before");
        await expectCode("INVALID_VALUE", () => memory.set("k", value));
        assert.equal(await memory.get("k", { consistency: "latest" }), "before");
      }),
    ),
    memoryCase(maker, "a date becomes its ISO text, -0 becomes 0", async ({ memory }) => {
      const date = new Date(86_400_000);
      await memory.set("k", { date, list: [date], zero: -0 }, { tierHint: "l0" });
      const expected = { date: date.toISOString(), list: [date.toISOString()], zero: 0 };
      assert.deepEqual(await memory.get("k", { consistency: "latest" }), expected);
      assert.deepEqual(await memory.get("k"), expected);
    }),
  ];
}
