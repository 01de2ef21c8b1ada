import type { FilterNode } from "./filter.ts";
import type { JsonObject, JsonValue } from "./item.ts";
import { compareText } from "./text.ts";

/**
 * Whether metadata passes a filter. This is what filters mean; SQL must agree with it.
 * A comparison holds only between two values of one JSON type, so `not` also passes values of
 * another type and missing members. A member that is null exists.
 */
export function matchesFilter(node: FilterNode, metadata: JsonObject): boolean {
  switch (node.kind) {
    case "and":
      return node.nodes.every((inner) => matchesFilter(inner, metadata));
    case "or":
      return node.nodes.some((inner) => matchesFilter(inner, metadata));
    case "not":
      return !matchesFilter(node.node, metadata);
    case "exists":
      return Object.hasOwn(metadata, node.field);
    case "eq": {
      const member = ownMember(metadata, node.field);
      return member !== undefined && equalJson(member, node.value);
    }
    case "in": {
      const member = ownMember(metadata, node.field);
      return member !== undefined && node.values.some((value) => equalJson(member, value));
    }
    default:
      return holds(node.kind, compare(ownMember(metadata, node.field), node.value));
  }
}

/** Equality of JSON: numbers by value, members in any order. */
function equalJson(left: JsonValue, right: JsonValue): boolean {
  if (left === right) return true;
  if (typeof left !== "object" || typeof right !== "object") return false;
  if (left === null || right === null) return false;
  if (isList(left) || isList(right)) {
    if (!isList(left) || !isList(right) || left.length !== right.length) return false;
    return left.every((element, index) => {
      const other = right[index];
      return other !== undefined && equalJson(element, other);
    });
  }
  const names = Object.keys(left);
  if (names.length !== Object.keys(right).length) return false;
  return names.every((name) => {
    const one = ownMember(left, name);
    const other = ownMember(right, name);
    return one !== undefined && other !== undefined && equalJson(one, other);
  });
}

/** Not the prototype's: `constructor` and `__proto__` are ordinary names. */
function ownMember(object: JsonObject, name: string): JsonValue | undefined {
  return Object.hasOwn(object, name) ? object[name] : undefined;
}

function isList(value: JsonValue): value is readonly JsonValue[] {
  return Array.isArray(value);
}

/** Below, at or above zero; undefined when the two are not of one type that has an order. */
function compare(
  member: JsonValue | undefined,
  value: string | number | boolean,
): number | undefined {
  if (typeof member === "string" && typeof value === "string") return compareText(member, value);
  if (typeof member === "number" && typeof value === "number") return Math.sign(member - value);
  if (typeof member === "boolean" && typeof value === "boolean")
    return Number(member) - Number(value);
  return undefined;
}

function holds(kind: "gt" | "gte" | "lt" | "lte", order: number | undefined): boolean {
  if (order === undefined) return false;
  if (kind === "gt") return order > 0;
  if (kind === "gte") return order >= 0;
  return kind === "lt" ? order < 0 : order <= 0;
}
