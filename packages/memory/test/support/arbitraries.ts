import fc from "fast-check";
import type { MetadataFilter } from "../../src/model/filter.ts";
import type { JsonObject, JsonValue } from "../../src/model/item.ts";

/** Few and alike, so that random operations meet each other. */
export const KEYS = ["a", "a:1", "a:10", "__proto__", "é%_"] as const;
export const PATHS = ["", "x", "x/y", "x1"] as const;
const TAGS = ["t", "u", "toString"] as const;
const NAMES = ["n", "m", "__proto__", "a.b"] as const;

export const key = fc.constantFrom(...KEYS);
export const path = fc.constantFrom(...PATHS);

const text = fc.constantFrom("", "a", "b", "\u00e9", "\uffff", "\u{1f352}", "1");
const scalar: fc.Arbitrary<string | number | boolean> = fc.oneof(
  text,
  fc.constantFrom(-1, 0, 1, 1.5, 1e21, 0.1),
  fc.boolean(),
);
const operand: fc.Arbitrary<JsonValue> = fc.oneof(
  { weight: 6, arbitrary: scalar },
  { weight: 1, arbitrary: fc.constant(null) },
  { weight: 1, arbitrary: fc.constantFrom<JsonValue>([], [1, "a"], ["a", 1], [[]]) },
  { weight: 1, arbitrary: fc.constantFrom<JsonValue>({ a: 1 }, { b: null, a: 1 }) },
);

export const value: fc.Arbitrary<JsonValue> = fc.oneof(
  operand,
  fc.constant("x".repeat(200)),
  fc.constant({ list: [1, { deep: null }], "": "\u0000" }),
);

export const metadata: fc.Arbitrary<JsonObject> = fc
  .array(fc.tuple(fc.constantFrom(...NAMES), operand), { maxLength: 3 })
  .map((entries) => Object.fromEntries(entries));

export const tags = fc.subarray([...TAGS]);

const ordering = fc.constantFrom("$gt", "$gte", "$lt", "$lte");
const comparison: fc.Arbitrary<unknown> = fc.oneof(
  operand.filter((one) => typeof one !== "object" || one === null || Array.isArray(one)),
  fc.record({ $eq: operand }),
  fc.record({ $ne: operand }),
  fc.record({ $in: fc.array(operand, { maxLength: 3 }) }),
  fc.record({ $nin: fc.array(operand, { maxLength: 3 }) }),
  fc.record({ $exists: fc.boolean() }),
  fc.tuple(ordering, scalar).map(([name, bound]) => ({ [name]: bound })),
  fc.tuple(ordering, ordering, scalar).map(([one, two, bound]) => ({ [one]: bound, [two]: bound })),
  fc.tuple(ordering, scalar).map(([name, bound]) => ({ $not: { [name]: bound } })),
);
const clause = fc
  .tuple(fc.constantFrom(...NAMES), comparison)
  .map(([name, condition]) => Object.fromEntries([[name, condition]]));

export const filter: fc.Arbitrary<MetadataFilter> = fc.letrec<{ filter: MetadataFilter }>(
  (tie) => ({
    filter: fc.oneof(
      { maxDepth: 3, depthIdentifier: "filter" },
      { weight: 5, arbitrary: clause },
      { weight: 1, arbitrary: fc.tuple(clause, clause).map(([one, two]) => ({ ...one, ...two })) },
      {
        weight: 1,
        arbitrary: fc.record({ $and: fc.array(tie("filter"), { minLength: 1, maxLength: 3 }) }),
      },
      {
        weight: 1,
        arbitrary: fc.record({ $or: fc.array(tie("filter"), { minLength: 1, maxLength: 3 }) }),
      },
      { weight: 1, arbitrary: fc.record({ $not: tie("filter") }) },
    ),
  }),
).filter;

const patternPart = fc.constantFrom(
  "a",
  ":",
  "1",
  "*",
  "?",
  "[a-z]",
  "[!a]",
  "\\*",
  "_",
  "%",
  "é",
  "0",
  "[1_\\]]",
);
export const pattern = fc.oneof(
  fc.constantFrom("*", "a*", "a:1*", "a:1", "a:?", "__*"),
  fc.array(patternPart, { minLength: 1, maxLength: 5 }).map((parts) => parts.join("")),
);

/** What to look for; each part may be missing. */
export const selection = fc.record(
  { pattern, metadataFilter: filter, tags, below: fc.boolean() },
  { requiredKeys: [] },
);
