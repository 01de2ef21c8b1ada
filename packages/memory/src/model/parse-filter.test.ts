import { describe, expect, test } from "vitest";
import { MemoryError } from "./errors.ts";
import { DEFAULT_LIMITS } from "./limits.ts";
import { parseFilter } from "./parse-filter.ts";

const limits = DEFAULT_LIMITS;
const parse = (filter: unknown): unknown => parseFilter(filter, limits);

function refusal(filter: unknown): MemoryError {
  try {
    parse(filter);
  } catch (error) {
    if (error instanceof MemoryError && error.code === "INVALID_FILTER") return error;
    throw error;
  }
  throw new Error("it was accepted");
}

function negated(depth: number): unknown {
  let filter: unknown = { a: 1 };
  for (let level = 0; level < depth; level += 1) filter = { $not: filter };
  return filter;
}

describe("parseFilter", () => {
  test("a plain value is $eq, an object without operators too", () => {
    const eq = { kind: "eq", field: "a", value: { b: 1 } };
    expect(parse({ a: { b: 1 } })).toEqual(eq);
    expect(parse({ a: { $eq: { b: 1 } } })).toEqual(eq);
    expect(parse({ a: [1] })).toEqual({ kind: "eq", field: "a", value: [1] });
    expect(parse({ a: null })).toEqual({ kind: "eq", field: "a", value: null });
    expect(parse({ a: {} })).toEqual({ kind: "eq", field: "a", value: {} });
  });

  test("negations become not", () => {
    const eq = { kind: "eq", field: "a", value: 1 };
    expect(parse({ a: { $ne: 1 } })).toEqual({ kind: "not", node: eq });
    expect(parse({ a: { $nin: [1] } })).toEqual({
      kind: "not",
      node: { kind: "in", field: "a", values: [1] },
    });
    expect(parse({ a: { $exists: false } })).toEqual({
      kind: "not",
      node: { kind: "exists", field: "a" },
    });
    expect(parse({ a: { $not: { $ne: 1 } } })).toEqual(eq);
    expect(parse({ $not: { a: 1 } })).toEqual({ kind: "not", node: eq });
  });

  test("several members and conditions are joined by and", () => {
    expect(parse({ a: { $gt: 1, $lte: 5 }, b: "x" })).toEqual({
      kind: "and",
      nodes: [
        {
          kind: "and",
          nodes: [
            { kind: "gt", field: "a", value: 1 },
            { kind: "lte", field: "a", value: 5 },
          ],
        },
        { kind: "eq", field: "b", value: "x" },
      ],
    });
    expect(parse({})).toEqual({ kind: "and", nodes: [] });
  });

  test("names are literal: dots and __proto__ mean nothing", () => {
    expect(parse({ "a.b": 1 })).toEqual({ kind: "eq", field: "a.b", value: 1 });
    expect(parse(JSON.parse('{"__proto__":1}'))).toEqual({
      kind: "eq",
      field: "__proto__",
      value: 1,
    });
  });

  test.each([
    [{ a: { $where: "1" } }, "metadataFilter.a.$where"],
    [{ $nor: [] }, "metadataFilter.$nor"],
    [{ $and: [{ b: 1 }, { a: { $gt: null } }] }, "metadataFilter.$and[1].a.$gt"],
    [{ $or: [] }, "metadataFilter.$or"],
    [{ $or: { a: 1 } }, "metadataFilter.$or"],
    [{ $and: [7] }, "metadataFilter.$and[0]"],
    [{ $not: [] }, "metadataFilter.$not"],
    [{ a: { $not: 1 } }, "metadataFilter.a.$not"],
    [{ a: { $not: { b: 1 } } }, "metadataFilter.a.$not"],
    [{ a: { $gt: 1, b: 2 } }, "metadataFilter.a"],
    [{ a: { $in: 1 } }, "metadataFilter.a.$in"],
    [{ a: { $in: [1, undefined] } }, "metadataFilter.a.$in[1]"],
    [{ a: { $exists: 1 } }, "metadataFilter.a.$exists"],
    [{ a: { $lt: [1] } }, "metadataFilter.a.$lt"],
    [{ a: "x\u0000" }, "metadataFilter.a"],
    [{ "a\ud800": 1 }, "metadataFilter.a\ud800"],
    [{ a: Number.NaN }, "metadataFilter.a"],
    [[], "metadataFilter"],
    ["a", "metadataFilter"],
    [null, "metadataFilter"],
  ])("%j is refused, naming the place", (filter, field) => {
    expect(refusal(filter).field).toBe(field);
  });

  test("16 levels are allowed, 17 and 5,000 are not", () => {
    expect(parse(negated(16))).toBeDefined();
    expect(refusal(negated(17)).message).toMatch(/16 deep/);
    expect(refusal(negated(5000)).message).toMatch(/16 deep/);
    let field: unknown = { $gt: 1 };
    for (let level = 0; level < 5000; level += 1) field = { $not: field };
    expect(refusal({ a: field }).message).toMatch(/16 deep/);
    let value: unknown = 1;
    for (let level = 0; level < 5000; level += 1) value = [value];
    expect(refusal({ a: value }).message).toMatch(/64 deep/);
  });

  test("100 clauses are allowed, 101 are not, empty ones count too", () => {
    const clauses = (count: number): unknown => ({
      $or: Array.from({ length: count }, (_, index) => ({ a: index })),
    });
    expect(parse(clauses(100))).toBeDefined();
    refusal(clauses(101));
    refusal({ $or: Array.from({ length: 101 }, () => ({})) });
    refusal(Object.fromEntries(Array.from({ length: 101 }, (_, index) => [`f${index}`, 1])));
  });

  test("1,000 values of $in are allowed, 1,001 are not", () => {
    const values = Array.from({ length: 1000 }, (_, index) => index);
    expect(parse({ a: { $in: values } })).toBeDefined();
    refusal({ a: { $in: [...values, 1] } });
  });
});
