import { isDeepStrictEqual } from "node:util";
import type { MetadataFilter } from "../model/filter.ts";
import type { JsonObject, JsonValue } from "../model/item.ts";

/**
 * The metadata filter of the contract, evaluated straight from what the caller wrote. Shares no code
 * with the parser, the evaluator or the SQL compiler that it checks.
 */
export function referenceFilter(filter: MetadataFilter, metadata: JsonObject): boolean {
  return Object.entries(filter).every(([name, condition]) => {
    if (name === "$and") return filters(condition).every((one) => referenceFilter(one, metadata));
    if (name === "$or") return filters(condition).some((one) => referenceFilter(one, metadata));
    if (name === "$not") return !referenceFilter(asFilter(condition), metadata);
    const value = Object.hasOwn(metadata, name) ? metadata[name] : undefined;
    return fieldHolds(condition, value);
  });
}

function asFilter(condition: unknown): MetadataFilter {
  if (typeof condition === "object" && condition !== null) return { ...condition };
  throw new Error(`not a filter: ${String(condition)}`);
}

function filters(condition: unknown): MetadataFilter[] {
  if (Array.isArray(condition)) return condition.map(asFilter);
  throw new Error(`not a list of filters: ${String(condition)}`);
}

function fieldHolds(condition: unknown, value: JsonValue | undefined): boolean {
  if (typeof condition !== "object" || condition === null || Array.isArray(condition))
    return equal(value, condition);
  const operators = Object.entries(condition);
  if (!operators.some(([name]) => name.startsWith("$"))) return equal(value, condition);
  return operators.every(([operator, operand]) => operatorHolds(operator, operand, value));
}

function operatorHolds(operator: string, operand: unknown, value: JsonValue | undefined): boolean {
  switch (operator) {
    case "$eq":
      return equal(value, operand);
    case "$ne":
      return !equal(value, operand);
    case "$in":
      return Array.isArray(operand) && operand.some((one) => equal(value, one));
    case "$nin":
      return Array.isArray(operand) && !operand.some((one) => equal(value, one));
    case "$exists":
      return (value !== undefined) === operand;
    case "$not":
      return !fieldHolds(operand, value);
    case "$gt":
      return compare(value, operand, (order) => order > 0);
    case "$gte":
      return compare(value, operand, (order) => order >= 0);
    case "$lt":
      return compare(value, operand, (order) => order < 0);
    case "$lte":
      return compare(value, operand, (order) => order <= 0);
    default:
      throw new Error(`unknown operator ${operator}`);
  }
}

function equal(value: JsonValue | undefined, operand: unknown): boolean {
  return value !== undefined && isDeepStrictEqual(asStored(value), asStored(operand));
}

/** As JSON carries it: -0 is 0. */
function asStored(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}

/** Only within one JSON type; text is ordered by its UTF-8 bytes, as the database does. */
function compare(
  value: JsonValue | undefined,
  operand: unknown,
  holds: (order: number) => boolean,
): boolean {
  if (typeof value === "number" && typeof operand === "number") return holds(value - operand);
  if (typeof value === "boolean" && typeof operand === "boolean")
    return holds(Number(value) - Number(operand));
  if (typeof value === "string" && typeof operand === "string")
    return holds(Buffer.compare(Buffer.from(value), Buffer.from(operand)));
  return false;
}
