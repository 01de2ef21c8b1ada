import { MemoryError } from "./errors.ts";
import type { FilterNode } from "./filter.ts";
import type { JsonValue } from "./item.ts";
import { JsonCheck, isPlainObject } from "./json-check.ts";
import type { Limits } from "./limits.ts";
import { describe, quote, textFault } from "./text.ts";

/** Values of one `$in` or `$nin`. */
const IN_VALUES_MAX = 1000;
const COMPARISONS = ["$eq", "$ne", "$gt", "$gte", "$lt", "$lte", "$in", "$nin", "$exists", "$not"];

/**
 * Validates a filter and gives it a form that is easy to compile: `$ne`, `$nin` and
 * `$exists: false` become `not`, a list of conditions becomes `and`. A field name is a top-level
 * member of the metadata, taken literally: dots mean nothing. A plain object without operators is a
 * value to equal. Depth counts `$and`, `$or` and `$not`; a clause is one comparison. Throws
 * INVALID_FILTER with the path of what is wrong.
 */
export function parseFilter(filter: unknown, limits: Limits): FilterNode {
  return new FilterParser(limits).filter(filter, "metadataFilter", 0);
}

class FilterParser {
  readonly #limits: Limits;
  #clauses = 0;

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  filter(filter: unknown, path: string, depth: number): FilterNode {
    if (!isPlainObject(filter))
      throw invalid(path, `expected an object such as { kind: "note" }, got ${describe(filter)}`);
    const nodes: FilterNode[] = [];
    for (const name of Object.keys(filter)) {
      const at = `${path}.${name.slice(0, 60)}`;
      const operand = filter[name];
      if (name === "$and" || name === "$or") nodes.push(this.#list(name, operand, at, depth));
      else if (name === "$not")
        nodes.push(this.#not(this.filter(operand, at, this.#deeper(at, depth))));
      else if (name.startsWith("$"))
        throw invalid(at, `unknown operator; expected $and, $or, $not or a metadata name`);
      else nodes.push(this.#field(name, operand, at, depth));
    }
    return allOf(nodes);
  }

  #list(name: "$and" | "$or", operand: unknown, path: string, depth: number): FilterNode {
    if (!Array.isArray(operand) || operand.length === 0)
      throw invalid(path, `expected a non-empty array of filters, got ${describeList(operand)}`);
    const inner = this.#deeper(path, depth);
    const nodes = (operand as readonly unknown[]).map((filter, index) => {
      this.#countFilter(path);
      return this.filter(filter, `${path}[${index}]`, inner);
    });
    return { kind: name === "$and" ? "and" : "or", nodes };
  }

  /** Empty filters hold no comparison but still take room: they count towards the same bound. */
  #filters = 0;
  #countFilter(path: string): void {
    this.#filters += 1;
    if (this.#filters > this.#limits.filterClauses)
      throw invalid(path, `more than ${this.#limits.filterClauses} filters in $and and $or`);
  }

  #field(field: string, operand: unknown, path: string, depth: number): FilterNode {
    const fault = textFault(field);
    if (fault !== undefined) throw invalid(path, `a name that ${fault}`);
    if (!isPlainObject(operand)) return this.#equals(field, operand, path);
    const names = Object.keys(operand);
    const operators = names.filter((name) => name.startsWith("$"));
    if (operators.length === 0) return this.#equals(field, operand, path);
    if (operators.length < names.length)
      throw invalid(path, "mixes operators and plain members; use $eq for a value with such names");
    return allOf(
      operators.map((name) =>
        this.#condition(name, { field, operand: operand[name], path: `${path}.${name}`, depth }),
      ),
    );
  }

  #condition(name: string, at: FieldOperand): FilterNode {
    const { field, operand, path } = at;
    switch (name) {
      case "$eq":
        return this.#equals(field, operand, path);
      case "$ne":
        return this.#not(this.#equals(field, operand, path));
      case "$in":
        return this.#oneOf(at);
      case "$nin":
        return this.#not(this.#oneOf(at));
      case "$gt":
        return { kind: "gt", field, value: this.#ordered(operand, path) };
      case "$gte":
        return { kind: "gte", field, value: this.#ordered(operand, path) };
      case "$lt":
        return { kind: "lt", field, value: this.#ordered(operand, path) };
      case "$lte":
        return { kind: "lte", field, value: this.#ordered(operand, path) };
      case "$exists":
        return this.#exists(at);
      case "$not":
        return this.#notField(at);
      default:
        throw invalid(path, `unknown operator; expected one of ${COMPARISONS.join(", ")}`);
    }
  }

  #equals(field: string, operand: unknown, path: string): FilterNode {
    this.#countClause(path);
    return { kind: "eq", field, value: this.#json(operand, path) };
  }

  #oneOf({ field, operand, path }: FieldOperand): FilterNode {
    this.#countClause(path);
    if (!Array.isArray(operand))
      throw invalid(path, `expected an array of values, got ${describe(operand)}`);
    if (operand.length > IN_VALUES_MAX)
      throw invalid(path, `${operand.length} values, at most ${IN_VALUES_MAX} allowed`);
    const values = (operand as readonly unknown[]).map((value, index) =>
      this.#json(value, `${path}[${index}]`),
    );
    return { kind: "in", field, values };
  }

  #exists({ field, operand, path }: FieldOperand): FilterNode {
    this.#countClause(path);
    if (typeof operand !== "boolean")
      throw invalid(path, `expected true or false, got ${describe(operand)}`);
    const exists: FilterNode = { kind: "exists", field };
    return operand ? exists : this.#not(exists);
  }

  #notField({ field, operand, path, depth }: FieldOperand): FilterNode {
    if (!isPlainObject(operand) || !Object.keys(operand).every((name) => name.startsWith("$")))
      throw invalid(path, `expected conditions such as { $gt: 1 }, got ${describe(operand)}`);
    const inner = this.#deeper(path, depth);
    return this.#not(this.#field(field, operand, path, inner));
  }

  #ordered(operand: unknown, path: string): string | number | boolean {
    this.#countClause(path);
    const value = this.#json(operand, path);
    if (typeof value === "string" || typeof value === "number" || typeof value === "boolean")
      return value;
    throw invalid(path, `expected a string, number or boolean, got ${describe(operand)}`);
  }

  #json(operand: unknown, path: string): JsonValue {
    return new JsonCheck({
      code: "INVALID_FILTER",
      field: path,
      depthMax: this.#limits.jsonDepth,
      bytesMax: this.#limits.metadataBytes,
      tooLarge: "INVALID_FILTER",
      storableText: true,
    }).check(operand);
  }

  #not(node: FilterNode): FilterNode {
    return node.kind === "not" ? node.node : { kind: "not", node };
  }

  #countClause(path: string): void {
    this.#clauses += 1;
    if (this.#clauses > this.#limits.filterClauses)
      throw invalid(path, `more than ${this.#limits.filterClauses} comparisons in the filter`);
  }

  #deeper(path: string, depth: number): number {
    if (depth < this.#limits.filterDepth) return depth + 1;
    throw invalid(
      path,
      `$and, $or and $not are nested more than ${this.#limits.filterDepth} deep; flatten the filter`,
    );
  }
}

interface FieldOperand {
  readonly field: string;
  readonly operand: unknown;
  readonly path: string;
  readonly depth: number;
}

/** All must hold; none = everything matches. */
function allOf(nodes: readonly FilterNode[]): FilterNode {
  const [only] = nodes;
  return nodes.length === 1 && only !== undefined ? only : { kind: "and", nodes };
}

function describeList(operand: unknown): string {
  return Array.isArray(operand) ? "an empty one" : describe(operand);
}

function invalid(path: string, fault: string): MemoryError {
  return new MemoryError("INVALID_FILTER", `${path}: ${fault}`, {
    field: path.length <= 200 ? path : quote(path),
  });
}
