import assert from "node:assert/strict";
import type { ErrorCode } from "../../model/errors.ts";
import { DEFAULT_LIMITS } from "../../model/limits.ts";
import type { Memory } from "../../manager/memory.ts";
import { expectCode } from "../expect-code.ts";
import type { SuiteCase } from "../suite.ts";
import { memoryCase, untyped } from "./fixture.ts";
import type { MemoryMaker } from "./fixture.ts";

const L = DEFAULT_LIMITS;
const SURROGATE = "\ud800";

function nested(depth: number): unknown {
  let value: unknown = 1;
  for (let level = 0; level < depth; level += 1) value = [value];
  return value;
}

function nestedFilter(depth: number): object {
  let filter: object = { a: 1 };
  for (let level = 0; level < depth; level += 1) filter = { $not: filter };
  return filter;
}

function clauses(count: number): object {
  return { $or: Array.from({ length: count }, (_, n) => ({ a: n })) };
}

/** JSON text of exactly so many bytes. */
function metadataOf(jsonBytes: number): { readonly a: string } {
  return { a: "x".repeat(jsonBytes - '{"a":""}'.length) };
}

interface Bad {
  readonly what: string;
  readonly code: ErrorCode;
  readonly call: (memory: Memory) => Promise<unknown>;
}

function bad(what: string, code: ErrorCode, call: Bad["call"]): Bad {
  return { what, code, call };
}

/** The calls just within each bound: none of them may be refused. */
const GOOD: readonly (readonly [string, (memory: Memory) => Promise<unknown>])[] = [
  ["key of 1 byte", (m) => m.set("k", 1)],
  ["key of all bytes", (m) => m.set("é".repeat(L.keyBytes / 2), 1)],
  ["key ...", (m) => m.set("...", 1)],
  ["value of all bytes", (m) => m.set("k", "x".repeat(L.valueBytes - 2))],
  ["value as deep as allowed", (m) => m.set("k", nested(L.jsonDepth))],
  ["metadata of all bytes", (m) => m.set("k", 1, { metadata: metadataOf(L.metadataBytes) })],
  ["as many tags as allowed", (m) => m.set("k", 1, { tags: tagsOf(L.tags) })],
  ["tag of all bytes", (m) => m.set("k", 1, { tags: ["é".repeat(L.tagBytes / 2)] })],
  ["the longest lifetime", (m) => m.set("k", 1, { ttlSeconds: L.ttlSeconds })],
  ["a fraction of a second", (m) => m.set("k", 1, { ttlSeconds: 0.001 })],
  ["filter as deep as allowed", (m) => m.search({ metadataFilter: nestedOf(L.filterDepth) })],
  ["as many clauses as allowed", (m) => m.search({ metadataFilter: clausesOf(L.filterClauses) })],
  ["pattern of all bytes", (m) => m.search({ pattern: "x".repeat(L.patternBytes) })],
  ["the largest page", (m) => m.search({ limit: L.pageItems })],
  ["the smallest page", (m) => m.search({ limit: 1 })],
  ["namespace of all segments", (m) => m.namespace(segmentsOf(m, L.namespaceSegments)).get("k")],
  ["namespace of all bytes", (m) => m.namespace(lengthened(m, L.namespaceBytes)).get("k")],
  ["as many operations as allowed", (m) => m.batchOperations(getsOf(L.batchOperations))],
  ["no operation", (m) => m.batchOperations([])],
];

function nestedOf(depth: number): ReturnType<typeof JSON.parse> {
  return untyped(JSON.stringify(nestedFilter(depth)));
}

function clausesOf(count: number): ReturnType<typeof JSON.parse> {
  return untyped(JSON.stringify(clauses(count)));
}

function tagsOf(count: number): string[] {
  return Array.from({ length: count }, (_, n) => `t${n}`);
}

function getsOf(count: number): { readonly type: "get"; readonly key: string }[] {
  return Array.from({ length: count }, () => ({ type: "get", key: "k" }));
}

/** Segments that make the whole path so many. */
function segmentsOf(memory: Memory, total: number): string[] {
  return Array.from({ length: total - memory.path.split("/").length }, () => "s");
}

/** A segment that makes the whole path so many bytes. */
function lengthened(memory: Memory, total: number): string[] {
  return ["n".repeat(total - memory.path.length - 1)];
}

const BAD_KEYS: readonly (readonly [string, unknown])[] = [
  ["empty key", ""],
  ["dot", "."],
  ["two dots", ".."],
  ["NUL in key", "a\u0000b"],
  ["lone surrogate in key", SURROGATE],
  ["key over its bytes", "k".repeat(L.keyBytes + 1)],
  ["key over its bytes in UTF-8", `${"é".repeat(L.keyBytes / 2)}k`],
  ["number as key", 5],
  ["null as key", null],
];

/** Each call just beyond a bound or against a rule, with the code it must fail with. */
const BAD: readonly Bad[] = [
  ...["", "a//b", "/a", "a/", ".", "a/..", "a\u0000", SURROGATE, "n".repeat(L.namespaceBytes)].map(
    (path) =>
      bad(`namespace ${JSON.stringify(path).slice(0, 20)}`, "INVALID_NAMESPACE", async (m) =>
        m.namespace(path === "" ? [""] : path).get("k"),
      ),
  ),
  bad("segment with a slash", "INVALID_NAMESPACE", async (m) => m.namespace(["a/b"]).get("k")),
  bad("too many segments", "INVALID_NAMESPACE", async (m) =>
    m.namespace(segmentsOf(m, L.namespaceSegments + 1)).get("k"),
  ),
  bad("namespace over its bytes", "INVALID_NAMESPACE", async (m) =>
    m.namespace(lengthened(m, L.namespaceBytes + 1)).get("k"),
  ),
  bad("value over its bytes", "VALUE_TOO_LARGE", (m) => m.set("k", "x".repeat(L.valueBytes - 1))),
  bad("value over its bytes once escaped", "VALUE_TOO_LARGE", (m) =>
    m.set("k", "\u0001".repeat(L.valueBytes / 6 + 1)),
  ),
  bad("value too deep", "INVALID_VALUE", (m) => m.set("k", nested(L.jsonDepth + 1))),
  bad("value absurdly deep", "INVALID_VALUE", (m) => m.set("k", nested(100_000))),
  bad("metadata over its bytes", "INVALID_METADATA", (m) =>
    m.set("k", 1, { metadata: metadataOf(L.metadataBytes + 1) }),
  ),
  bad("metadata that is a list", "INVALID_METADATA", (m) =>
    m.set("k", 1, { metadata: untyped("[1]") }),
  ),
  bad("metadata that is null", "INVALID_METADATA", (m) =>
    m.set("k", 1, { metadata: untyped("null") }),
  ),
  bad("NUL in metadata", "INVALID_METADATA", (m) => m.set("k", 1, { metadata: { a: "\u0000" } })),
  bad("NUL in a metadata name", "INVALID_METADATA", (m) =>
    m.set("k", 1, { metadata: { "\u0000": 1 } }),
  ),
  bad("lone surrogate in metadata", "INVALID_METADATA", (m) =>
    m.set("k", 1, { metadata: { a: [SURROGATE] } }),
  ),
  bad("too many tags", "INVALID_TAGS", (m) => m.set("k", 1, { tags: tagsOf(L.tags + 1) })),
  bad("tag over its bytes", "INVALID_TAGS", (m) =>
    m.set("k", 1, { tags: ["t".repeat(L.tagBytes + 1)] }),
  ),
  bad("NUL in a tag", "INVALID_TAGS", (m) => m.set("k", 1, { tags: ["\u0000"] })),
  bad("tags that are text", "INVALID_TAGS", (m) => m.set("k", 1, { tags: untyped('"t"') })),
  bad("a tag that is a number", "INVALID_TAGS", (m) => m.set("k", 1, { tags: untyped("[1]") })),
  ...[0, -1, Number.NaN, Number.POSITIVE_INFINITY, L.ttlSeconds * 1.001, untyped('"60"')].map(
    (ttl) =>
      bad(`lifetime ${String(ttl)}`, "INVALID_TTL", (m) => m.set("k", 1, { ttlSeconds: ttl })),
  ),
  ...["[", "[]", "a\\", "[b-a]", "", "x".repeat(L.patternBytes + 1), "\u0000", untyped("5")].map(
    (pattern) =>
      bad(`pattern ${String(pattern).slice(0, 9)}`, "INVALID_PATTERN", (m) =>
        m.search({ pattern }),
      ),
  ),
  ...[
    '{"$where":1}',
    '{"a":{"$regex":"x"}}',
    '{"$and":{}}',
    '{"$or":[]}',
    '{"a":{"$in":1}}',
    '{"a":{"$exists":1}}',
    '{"a":{"$gt":null}}',
    '{"a":{"$gt":[1]}}',
    '{"a":{"$gt":1,"b":2}}',
    "[]",
    '"x"',
    "null",
  ].map((json) =>
    bad(`filter ${json}`, "INVALID_FILTER", (m) => m.search({ metadataFilter: untyped(json) })),
  ),
  bad("filter too deep", "INVALID_FILTER", (m) =>
    m.search({ metadataFilter: nestedOf(L.filterDepth + 1) }),
  ),
  bad("too many clauses", "INVALID_FILTER", (m) =>
    m.search({ metadataFilter: clausesOf(L.filterClauses + 1) }),
  ),
  ...[0, -1, 1.5, L.pageItems + 1, Number.NaN, untyped('"5"')].map((limit) =>
    bad(`page of ${String(limit)}`, "INVALID_ARGUMENT", (m) => m.search({ limit })),
  ),
  bad("too many operations", "BATCH_TOO_LARGE", (m) =>
    m.batchOperations(getsOf(L.batchOperations + 1)),
  ),
  bad("batch over its bytes", "BATCH_TOO_LARGE", (m) =>
    m.batchOperations(
      Array.from({ length: 9 }, (_, n) => ({
        type: "set",
        key: `k${n}`,
        value: "x".repeat(L.valueBytes - 100),
      })),
    ),
  ),
  bad("forget without a selection", "INVALID_ARGUMENT", (m) => m.forget({})),
  bad("search by meaning without such a tier", "CAPABILITY_UNAVAILABLE", (m) =>
    m.search({ query: "x", mode: "semantic" }),
  ),
];

/** Every bound of the contract, at it and beyond it; what is refused changes nothing. */
export function limitCases(maker: MemoryMaker): SuiteCase[] {
  return [
    ...GOOD.map(([what, call]) =>
      memoryCase(maker, `allowed: ${what}`, async ({ memory }) => {
        await call(memory);
      }),
    ),
    memoryCase(maker, "allowed and kept: the largest value, byte for byte", async ({ memory }) => {
      const value = "\u{1f352}".repeat((L.valueBytes - 2) / 4 - 1);
      await memory.set("k", value);
      assert.equal(await memory.get("k", { consistency: "latest" }), value);
    }),
    ...BAD_KEYS.map(([what, json]) =>
      memoryCase(maker, `refused: ${what}`, async ({ memory }) => {
        const key = untyped(JSON.stringify({ key: json })).key;
        const calls = [
          () => memory.set(key, 1),
          () => memory.get(key),
          () => memory.getItem(key),
          () => memory.delete(key),
          () => memory.exists(key),
          () => memory.touch(key),
          () => memory.update(key, () => 1),
          () => memory.getOrSet(key, () => 1),
          () => memory.compareAndSet(key, null, 1),
          () => memory.mergePatch(key, {}),
          () => memory.getMany(["fine", key]),
          () => memory.explain(key),
          () => memory.forget({ keys: [key] }),
        ];
        for (const call of calls) {
          const error = await expectCode("INVALID_KEY", call, call.toString());
          assert.ok(error.field !== undefined, call.toString());
          assert.equal(error.retryable, false);
        }
      }),
    ),
    ...BAD.map(({ what, code, call }) =>
      memoryCase(maker, `refused: ${what}`, async ({ memory }) => {
        const { version } = await memory.set("before", 1);
        const error = await expectCode(code, () => call(memory));
        assert.equal(error.retryable, false);
        assert.ok(error.message.length < 1_000, "the message repeats the input");
        assert.equal(await memory.exists("k", { consistency: "latest" }), false);
        assert.equal((await memory.getItem("before"))?.version, version);
      }),
    ),
  ];
}
