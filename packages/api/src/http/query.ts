import { MemoryError } from "@cherry-ai/memory";
import { invalid } from "./fields.ts";

const EMPTY: ReadonlyMap<string, string> = new Map();

/** Query parameters of a request target; unknown and repeated ones are refused. */
export function readQuery(target: string, allowed: readonly string[]): ReadonlyMap<string, string> {
  const start = target.indexOf("?");
  if (start === -1 || start === target.length - 1) return EMPTY;
  const found = new Map<string, string>();
  for (const [name, value] of new URLSearchParams(target.slice(start + 1))) {
    if (!allowed.includes(name))
      throw new MemoryError(
        "INVALID_ARGUMENT",
        `query parameter ${JSON.stringify(name.slice(0, 100))}: no such parameter; expected only ${allowed.join(", ") || "none"}`,
        { field: name.slice(0, 100) },
      );
    if (found.has(name)) throw invalid(name, "one value", "several");
    found.set(name, value);
  }
  return found;
}

export function queryFlag(query: ReadonlyMap<string, string>, name: string): boolean | undefined {
  const value = query.get(name);
  if (value === undefined) return undefined;
  if (value === "true") return true;
  if (value === "false") return false;
  throw invalid(name, "true or false", value);
}

/** A whole number from 0 to `max`. */
export function queryNumber(
  query: ReadonlyMap<string, string>,
  name: string,
  max: number,
): number | undefined {
  const value = query.get(name);
  if (value === undefined) return undefined;
  const parsed = /^\d{1,15}$/.test(value) ? Number(value) : Number.NaN;
  if (parsed <= max) return parsed;
  throw invalid(name, `a whole number from 0 to ${max}`, value);
}
