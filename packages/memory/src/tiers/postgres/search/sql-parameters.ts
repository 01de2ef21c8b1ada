import type { SqlValue } from "../database.ts";

/** Values of a statement that is put together from parts. No value ever becomes SQL text. */
export class SqlParameters {
  readonly values: SqlValue[] = [];

  /** The placeholder of a value, with its type. */
  add(value: SqlValue, type: "text" | "text[]" | "jsonb" | "jsonpath" | "int8" | "int8[]"): string {
    this.values.push(value);
    return `$${this.values.length}::${type}`;
  }
}
