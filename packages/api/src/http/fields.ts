import { MemoryError } from "@cherry-ai/memory";

/** Throws when the value is not what the field expects. */
export type FieldCheck = (value: unknown, field: string) => void;

export type Fields = ReadonlyMap<string, FieldCheck>;

/** The memory itself judges this field, with its own code. */
export const judgedLater: FieldCheck = () => {};

export function invalid(field: string, expected: string, given: unknown): MemoryError {
  return new MemoryError(
    "INVALID_ARGUMENT",
    `${field}: expected ${expected}, got ${describe(given)}`,
    { field },
  );
}

export function text(value: unknown, field: string): void {
  if (typeof value !== "string") throw invalid(field, "a string", value);
}

export function flag(value: unknown, field: string): void {
  if (typeof value !== "boolean") throw invalid(field, "true or false", value);
}

export function number(value: unknown, field: string): void {
  if (typeof value !== "number") throw invalid(field, "a number", value);
}

export function list(value: unknown, field: string): void {
  if (!Array.isArray(value)) throw invalid(field, "a list", value);
}

export function oneOf(allowed: readonly string[]): FieldCheck {
  return (value, field) => {
    if (typeof value !== "string" || !allowed.includes(value))
      throw invalid(field, `one of ${allowed.join(", ")}`, value);
  };
}

export function isObject(value: unknown): value is { readonly [name: string]: unknown } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * Refuses what is no object, has a field that `fields` does not know, or one of another type.
 * `where` leads the names in messages, such as `operations[3].`.
 */
export function checkFields(
  value: unknown,
  fields: Fields,
  where = "",
): { readonly [name: string]: unknown } {
  if (!isObject(value)) throw invalid(where.replace(/\.$/, "") || "body", "an object", value);
  for (const name of Object.keys(value)) {
    const check = fields.get(name);
    if (check === undefined) throw unknownField(`${where}${name}`, fields);
    check(value[name], `${where}${name}`);
  }
  return value;
}

function unknownField(field: string, fields: Fields): MemoryError {
  const NAME_SHOWN_MAX = 100;
  const shown = field.slice(0, NAME_SHOWN_MAX);
  return new MemoryError(
    "INVALID_ARGUMENT",
    `${shown}: no such field; expected only ${[...fields.keys()].join(", ")}`,
    { field: shown },
  );
}

function describe(value: unknown): string {
  const SHOWN_MAX = 60;
  if (value === undefined) return "nothing";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "string") return JSON.stringify(value.slice(0, SHOWN_MAX));
  return typeof value === "object" && value !== null ? "an object" : JSON.stringify(value);
}
