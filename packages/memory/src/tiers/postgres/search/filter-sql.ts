import type { FilterNode } from "../../../model/filter.ts";
import type { JsonValue } from "../../../model/item.ts";
import type { SqlParameters } from "./sql-parameters.ts";

/** Arrays and objects in one `$in` that the index is asked for one by one. */
const DEEP_VALUES_MAX = 50;

const COMPARISON = { gt: ">", gte: ">=", lt: "<", lte: "<=" } as const;

/**
 * A filter as a condition on the metadata of a row called `i`. It is never null, so that NOT means
 * the same as in `matchesFilter`, with which it agrees on everything.
 */
export function filterSql(node: FilterNode, parameters: SqlParameters): string {
  switch (node.kind) {
    case "and":
    case "or": {
      const parts = node.nodes.map((inner) => filterSql(inner, parameters));
      const empty = node.kind === "and" ? "true" : "false";
      return parts.length === 0 ? empty : `(${parts.join(node.kind === "and" ? " AND " : " OR ")})`;
    }
    case "not":
      return `NOT ${filterSql(node.node, parameters)}`;
    case "exists":
      return `(i.metadata ? ${parameters.add(node.field, "text")})`;
    case "eq": {
      const member = `i.metadata -> ${parameters.add(node.field, "text")}`;
      return `coalesce(${member} = ${parameters.add(json(node.value), "jsonb")}, false)`;
    }
    case "in": {
      const member = `i.metadata -> ${parameters.add(node.field, "text")}`;
      const values = parameters.add(node.values.map(json), "text[]");
      return `coalesce(${member} = ANY (${values}::jsonb[]), false)`;
    }
    default:
      return comparisonSql(node, parameters);
  }
}

/** Between two values of one type only: PostgreSQL's jsonb would also order types among themselves. */
function comparisonSql(
  node: Extract<FilterNode, { kind: keyof typeof COMPARISON }>,
  parameters: SqlParameters,
): string {
  const { field, value } = node;
  const operator = COMPARISON[node.kind];
  const name = parameters.add(field, "text");
  const isType = `jsonb_typeof(i.metadata -> ${name}) = '${typeof value}'`;
  // Text is compared by bytes; jsonb itself would use the database's own collation.
  const holds =
    typeof value === "string"
      ? `(i.metadata ->> ${name}) COLLATE "C" ${operator} ${parameters.add(value, "text")}`
      : `i.metadata -> ${name} ${operator} ${parameters.add(json(value), "jsonb")}`;
  return `coalesce(${isType} AND ${holds}, false)`;
}

/**
 * A condition that every row that passes the filter fulfils and that the GIN index on metadata can
 * answer; undefined when there is none. Containment alone is not enough: an array or object contains
 * others than itself.
 */
export function indexableSql(node: FilterNode, parameters: SqlParameters): string | undefined {
  if (!isIndexable(node)) return undefined;
  switch (node.kind) {
    case "eq":
      return containsSql(node.field, node.value, parameters);
    case "in":
      return inSql(node.field, node.values, parameters);
    case "or":
      return anyOf(node.nodes.map((inner) => indexableSql(inner, parameters) ?? "true"));
    case "and": {
      const parts = node.nodes.map((inner) => indexableSql(inner, parameters));
      return `(${parts.filter((part) => part !== undefined).join(" AND ")})`;
    }
    default:
      return undefined;
  }
}

/** Whether the index on metadata helps with the filter. */
export function isIndexable(node: FilterNode): boolean {
  if (node.kind === "eq") return hasScalar(node.value);
  if (node.kind === "in") {
    const deep = node.values.filter((value) => !isScalar(value));
    return node.values.length > 0 && deep.length <= DEEP_VALUES_MAX && deep.every(hasScalar);
  }
  if (node.kind === "or") return node.nodes.length > 0 && node.nodes.every(isIndexable);
  return node.kind === "and" && node.nodes.some(isIndexable);
}

/** The index knows paths to scalars: it cannot find an empty array or object. */
function hasScalar(value: JsonValue): boolean {
  if (isScalar(value)) return true;
  return Object.values(value).some((inner: JsonValue) => hasScalar(inner));
}

function isScalar(value: JsonValue): value is string | number | boolean | null {
  return typeof value !== "object" || value === null;
}

/**
 * One condition for all scalars: a path that the index takes apart itself. A thousand conditions joined
 * by OR took four seconds to plan.
 */
function inSql(field: string, values: readonly JsonValue[], parameters: SqlParameters): string {
  const scalars = values.filter(isScalar);
  const deep = values.filter((value) => !isScalar(value));
  const parts = deep.map((value) => containsSql(field, value, parameters));
  if (scalars.length > 0) {
    const test = scalars.map((value) => `@ == ${json(value)}`).join(" || ");
    const path = `$.${JSON.stringify(field)} ? (${test})`;
    parts.push(`i.metadata @? ${parameters.add(path, "jsonpath")}`);
  }
  return anyOf(parts);
}

function containsSql(field: string, value: JsonValue, parameters: SqlParameters): string {
  // Text put together, not an object: a field may be called __proto__.
  const wanted = `{${JSON.stringify(field)}:${json(value)}}`;
  return `i.metadata @> ${parameters.add(wanted, "jsonb")}`;
}

function anyOf(parts: readonly string[]): string {
  return `(${parts.join(" OR ")})`;
}

function json(value: JsonValue): string {
  return JSON.stringify(value);
}
