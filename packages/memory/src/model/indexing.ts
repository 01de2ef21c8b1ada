import { MemoryError } from "./errors.ts";
import { isTextPath, parseTextPath } from "./text-path.ts";
import { describe } from "./text.ts";

/** Of one item. What is searchable beyond is left out, what is given beyond is refused. */
export const SEARCHABLE_BYTES_MAX: number = 8 * 1024;

/** How an item is searched, where it is not as all are: no member stands for its default. */
export interface Indexing {
  /** What is searchable: a text, or the path of it in the value, such as `$.body`. */
  readonly text?: string;
  /** false: not found by words. */
  readonly index?: false;
  /** false: not found by meaning. */
  readonly embed?: false;
}

/** Checks the three options of a write. undefined: all by default. Throws INVALID_ARGUMENT. */
export function checkIndexing(options: {
  readonly text?: unknown;
  readonly index?: unknown;
  readonly embed?: unknown;
}): Indexing | undefined {
  const { text, index, embed } = options;
  if (text === undefined && index === undefined && embed === undefined) return undefined;
  const indexing: Indexing = {
    ...(text === undefined ? {} : { text: checkText(text) }),
    ...(isSwitchedOff(index, "index") ? { index: false } : {}),
    ...(isSwitchedOff(embed, "embed") ? { embed: false } : {}),
  };
  return Object.keys(indexing).length === 0 ? undefined : indexing;
}

function checkText(text: unknown): string {
  if (typeof text !== "string") throw refusal("text", "text or a path", text);
  const bytes = Buffer.byteLength(text);
  if (bytes > SEARCHABLE_BYTES_MAX)
    throw new MemoryError(
      "INVALID_ARGUMENT",
      `text: ${bytes} bytes, at most ${SEARCHABLE_BYTES_MAX} can be searched; give what matters of it, or a path into the value`,
      { field: "text" },
    );
  if (isTextPath(text)) parseTextPath(text);
  return text;
}

function isSwitchedOff(flag: unknown, field: string): boolean {
  if (flag !== undefined && typeof flag !== "boolean") throw refusal(field, "true or false", flag);
  return flag === false;
}

function refusal(field: string, expected: string, given: unknown): MemoryError {
  return new MemoryError(
    "INVALID_ARGUMENT",
    `${field}: expected ${expected}, got ${describe(given)}`,
    { field },
  );
}
