import type { JsonValue } from "./item.ts";

/** A JSON scalar, list or object to compare with. */
export type Operand = JsonValue;

/** Comparisons on one metadata field; several are joined by and. */
export interface FieldCondition {
  readonly $eq?: Operand;
  readonly $ne?: Operand;
  readonly $gt?: string | number | boolean;
  readonly $gte?: string | number | boolean;
  readonly $lt?: string | number | boolean;
  readonly $lte?: string | number | boolean;
  readonly $in?: readonly Operand[];
  readonly $nin?: readonly Operand[];
  readonly $exists?: boolean;
  readonly $not?: FieldCondition;
}

/** As callers write it: `{ field: value | condition, $and: [], $or: [], $not: {} }`. */
export type MetadataFilter = { readonly [name: string]: unknown };

/** The validated form: a tree that both the SQL compiler and the in-memory evaluator walk. */
export type FilterNode =
  | { readonly kind: "and" | "or"; readonly nodes: readonly FilterNode[] }
  | { readonly kind: "not"; readonly node: FilterNode }
  | { readonly kind: "eq"; readonly field: string; readonly value: JsonValue }
  | { readonly kind: "in"; readonly field: string; readonly values: readonly JsonValue[] }
  | {
      readonly kind: "gt" | "gte" | "lt" | "lte";
      readonly field: string;
      readonly value: string | number | boolean;
    }
  | { readonly kind: "exists"; readonly field: string };
