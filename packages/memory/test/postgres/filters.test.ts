import fc from "fast-check";
import { expect, test } from "vitest";
import type { JsonObject, JsonValue } from "../../src/model/item.ts";
import { DEFAULT_LIMITS } from "../../src/model/limits.ts";
import { matchesFilter } from "../../src/model/match-filter.ts";
import { matchGlob } from "../../src/model/glob.ts";
import { parseFilter } from "../../src/model/parse-filter.ts";
import { compareText } from "../../src/model/text.ts";
import type { PostgresAuthority } from "../../src/tiers/postgres/authority.ts";
import { describeBoth, keysOf, put, searchOf } from "./support.ts";

const NAMES = ["n", "m", "a.b", "__proto__", "constructor", "é", "", "$", "with space"] as const;
const TEXTS = ["", "a", "A", "b", "ab", "é", "\uffff", "\u{1f352}", "10", "9", "null", 'a"b\\'];
const NUMBERS = [0, -0, 1, -1, 9, 10, 0.1, 0.2, 0.30000000000000004, 1e21, 1e-7, 5e-324, 1.7e308];

const scalar: fc.Arbitrary<string | number | boolean> = fc.oneof(
  fc.constantFrom(...TEXTS),
  fc.constantFrom(...NUMBERS),
  fc.boolean(),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
);
const json: fc.Arbitrary<JsonValue> = fc.letrec<{ json: JsonValue }>((tie) => ({
  json: fc.oneof(
    { maxDepth: 3, depthIdentifier: "json" },
    { weight: 6, arbitrary: scalar },
    { weight: 1, arbitrary: fc.constant(null) },
    { weight: 1, arbitrary: fc.array(tie("json"), { maxLength: 3 }) },
    { weight: 1, arbitrary: objectOf(tie("json")) },
  ),
})).json;
const metadata = objectOf(json);

function objectOf(value: fc.Arbitrary<JsonValue>): fc.Arbitrary<JsonObject> {
  const entries = fc.array(fc.tuple(fc.constantFrom(...NAMES), value), { maxLength: 4 });
  return entries.map((list) => Object.fromEntries(list));
}

function conditionOf(operand: fc.Arbitrary<JsonValue>): fc.Arbitrary<unknown> {
  return fc.oneof(
    fc.record({ $eq: operand }),
    fc.record({ $ne: operand }),
    fc.record({ $in: fc.array(operand, { maxLength: 4 }) }),
    fc.record({ $nin: fc.array(operand, { maxLength: 4 }) }),
    fc.record({ $exists: fc.boolean() }),
    fc
      .tuple(fc.constantFrom("$gt", "$gte", "$lt", "$lte"), scalar)
      .map(([operator, bound]) => ({ [operator]: bound })),
    fc
      .tuple(fc.constantFrom("$gt", "$gte", "$lt", "$lte"), scalar)
      .map(([operator, bound]) => ({ $not: { [operator]: bound } })),
  );
}

function filterOf(operand: fc.Arbitrary<JsonValue>): fc.Arbitrary<JsonObject> {
  const name = fc.constantFrom(...NAMES.filter((one) => !one.startsWith("$")));
  const clause = fc
    .array(fc.tuple(name, conditionOf(operand)), { maxLength: 2 })
    .map((entries) => Object.fromEntries(entries));
  return fc.letrec<{ filter: unknown }>((tie) => {
    const list = fc.array(tie("filter"), { minLength: 1, maxLength: 3 });
    return {
      filter: fc.oneof(
        { maxDepth: 3, depthIdentifier: "filter" },
        { weight: 5, arbitrary: clause },
        { weight: 1, arbitrary: fc.record({ $and: list }) },
        { weight: 1, arbitrary: fc.record({ $or: list }) },
        { weight: 1, arbitrary: fc.record({ $not: tie("filter") }) },
      ),
    };
  }).filter as fc.Arbitrary<JsonObject>;
}

let used = 0;

async function fill(authority: PostgresAuthority, items: readonly JsonObject[]): Promise<string> {
  used += 1;
  const namespace = `filters-${used}`;
  const puts = items.map((one, n) => put(String(n).padStart(4, "0"), { namespace, metadata: one }));
  await authority.write(puts);
  return namespace;
}

describeBoth("search agrees with the model", (late) => {
  test("on every filter and metadata", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(metadata, { minLength: 30, maxLength: 60 }).chain((items) => {
          // Values that are really there, so that equality also holds.
          const present = items.flatMap((item) => Object.values(item));
          const operand = present.length === 0 ? json : fc.oneof(json, fc.constantFrom(...present));
          return fc.record({
            items: fc.constant(items),
            filters: fc.array(filterOf(operand), { minLength: 20, maxLength: 20 }),
          });
        }),
        async ({ items, filters }) => {
          const namespace = await fill(late.rig.authority, items);
          for (const metadataFilter of filters) {
            const node = parseFilter(metadataFilter, DEFAULT_LIMITS);
            const expected = items.flatMap((item, n) =>
              matchesFilter(node, item) ? [String(n).padStart(4, "0")] : [],
            );
            const found = await keysOf(late.rig.authority, searchOf(namespace, { metadataFilter }));
            expect(found, JSON.stringify(metadataFilter)).toEqual(expected);
          }
        },
      ),
      { numRuns: 40 },
    );
  });

  test("on what a filter finds by the index and what it checks after", async () => {
    const items = [
      { v: [1, 2] },
      { v: [1] },
      { v: { a: 1, b: 2 } },
      { v: { a: 1 } },
      { v: [] },
      {},
    ];
    const namespace = await fill(late.rig.authority, items);
    for (const [value, key] of [
      [[1], "0001"],
      [{ a: 1 }, "0003"],
      [[], "0004"],
    ] as const) {
      const metadataFilter = { v: { $eq: value } };
      const found = await keysOf(late.rig.authority, searchOf(namespace, { metadataFilter }));
      expect(found).toEqual([key]);
    }
  });

  test("on every pattern and key", async () => {
    const characters = ["a", "b", "Z", ":", "/", "%", "_", ".", "\\", "[", "]", "-", "!", "^", "$"];
    const odd = [
      "(",
      ")",
      "|",
      "+",
      "{",
      "}",
      "*",
      "?",
      "#",
      " ",
      "\n",
      "\u0001",
      "é",
      "\u{1f352}",
    ];
    const character = fc.constantFrom(...characters, ...odd, "\ud7ff", "\ue000", "\u{10ffff}");
    const key = fc
      .array(character, { minLength: 1, maxLength: 6 })
      .map((list) => list.join(""))
      .filter((text) => text !== "." && text !== "..");
    const escaped = character.map((one) => `\\${one}`);
    const member = fc.oneof(
      fc.constantFrom("a-z", "A-Z", ":-b", "a", "é", "\\]", "\\-", "^"),
      escaped,
    );
    const part = fc.oneof(
      { weight: 4, arbitrary: escaped },
      { weight: 3, arbitrary: fc.constantFrom("*", "?", "**") },
      {
        weight: 2,
        arbitrary: fc
          .tuple(fc.boolean(), fc.array(member, { minLength: 1, maxLength: 3 }))
          .map(([negated, members]) => `[${negated ? "!" : ""}${members.join("")}]`),
      },
    );
    const pattern = fc.array(part, { minLength: 1, maxLength: 6 }).map((parts) => parts.join(""));
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(key, { minLength: 40, maxLength: 60 }),
        fc.array(pattern, { minLength: 30, maxLength: 30 }),
        async (keys, patterns) => {
          used += 1;
          const namespace = `patterns-${used}`;
          await late.rig.authority.write(keys.map((one) => put(one, { namespace })));
          const sorted = keys.toSorted(compareText);
          for (const one of patterns) {
            const expected = sorted.filter((text) => matchGlob(one, text));
            const found = await keysOf(late.rig.authority, searchOf(namespace, { pattern: one }));
            expect(found, JSON.stringify(one)).toEqual(expected);
          }
        },
      ),
      { numRuns: 30 },
    );
  });

  test("on the longest pattern there may be", async () => {
    const namespace = "longest";
    await late.rig.authority.write([put("a".repeat(1000), { namespace })]);
    for (const pattern of ["*a".repeat(512), "?*".repeat(512), "[!b]*".repeat(200)]) {
      const expected = matchGlob(pattern, "a".repeat(1000)) ? 1 : 0;
      const found = await keysOf(late.rig.authority, searchOf(namespace, { pattern }));
      expect(found.length, pattern.slice(0, 10)).toBe(expected);
    }
  });
});
