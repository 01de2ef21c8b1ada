import { MemoryError } from "@cherry-ai/memory";
import { invalid } from "./fields.ts";

const EMPTY: ReadonlyMap<string, string> = new Map();

/** Query parameters of a request target; unknown and repeated ones are refused. */
export function readQuery(target: string, allowed: readonly string[]): ReadonlyMap<string, string> {
  const start = target.indexOf("?");
  if (start === -1 || start === target.length - 1) return EMPTY;
  const found = new Map<string, string>();
  for (const part of target.slice(start + 1).split("&")) {
    if (part === "") continue;
    const equals = part.indexOf("=");
    const name = decoded(equals === -1 ? part : part.slice(0, equals), "query");
    if (!allowed.includes(name))
      throw new MemoryError(
        "INVALID_ARGUMENT",
        `query parameter ${JSON.stringify(name.slice(0, 100))}: no such parameter; expected only ${allowed.join(", ") || "none"}`,
        { field: name.slice(0, 100) },
      );
    if (found.has(name)) throw invalid(name, "one value", "several");
    found.set(name, equals === -1 ? "" : decoded(part.slice(equals + 1), name));
  }
  return found;
}

/** As forms are encoded. URLSearchParams would read what is not UTF-8 as some other text. */
function decoded(text: string, field: string): string {
  try {
    return decodeURIComponent(text.replaceAll("+", " "));
  } catch {
    throw invalid(field, "percent-encoded UTF-8", text);
  }
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
