import { MemoryError } from "./errors.ts";
import type { JsonValue } from "./item.ts";

/** Members and places of a path; deeper than any value may be. */
const STEPS_MAX = 64;
/** `.name`, `[0]` or `["any name"]`. */
const STEP = /\.([\p{L}_$][\p{L}\p{N}_$-]*)|\[(0|[1-9]\d{0,8})\]|\[("(?:[^"\\]|\\.)*")\]/uy;

export type TextPath = readonly (string | number)[];

/** A text that begins like a path is one: to search for such a text itself, begin it with a blank. */
export function isTextPath(text: string): boolean {
  return text.startsWith("$.") || text.startsWith("$[");
}

/** The steps of `$.body`, `$.turns[0].text` or `$["a name"]`. Throws INVALID_ARGUMENT. */
export function parseTextPath(text: string): TextPath {
  const steps: (string | number)[] = [];
  const step = new RegExp(STEP);
  step.lastIndex = 1;
  while (step.lastIndex < text.length) {
    const at = step.lastIndex;
    const match = step.exec(text);
    if (match === null) throw notAPath(`something else begins at character ${at + 1}`);
    steps.push(nameOf(match));
    if (steps.length > STEPS_MAX) throw notAPath(`more than ${STEPS_MAX} steps`);
  }
  return steps;
}

/** What lies there; undefined where nothing does. */
export function valueAt(value: JsonValue, path: TextPath): JsonValue | undefined {
  let found: JsonValue | undefined = value;
  for (const step of path) {
    if (typeof found !== "object" || found === null || !Object.hasOwn(found, step))
      return undefined;
    found = (found as { readonly [name: string | number]: JsonValue })[step];
  }
  return found;
}

function nameOf([, name, index, quoted]: RegExpExecArray): string | number {
  if (name !== undefined) return name;
  if (index !== undefined) return Number(index);
  try {
    return String(JSON.parse(quoted ?? ""));
  } catch (cause) {
    throw notAPath("a quoted name is no JSON text", cause);
  }
}

function notAPath(fault: string, cause?: unknown): MemoryError {
  return new MemoryError(
    "INVALID_ARGUMENT",
    `text: begins like a path and is none: ${fault}; expected steps such as $.body, $.turns[0] or $["a name"], or, for a text that begins with "$", a blank before it`,
    { field: "text", cause },
  );
}
