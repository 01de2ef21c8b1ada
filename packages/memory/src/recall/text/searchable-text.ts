import { SEARCHABLE_BYTES_MAX } from "../../model/indexing.ts";
import type { Indexing } from "../../model/indexing.ts";
import type { JsonValue } from "../../model/item.ts";
import { isTextPath, parseTextPath, valueAt } from "../../model/text-path.ts";

const SEPARATOR = "\n";

/**
 * What of an item is searched: the text that was given with it, what lies at the path that was given,
 * or the value itself. Of a value that is a string itself, else its string leaves in order; at most
 * `SEARCHABLE_BYTES_MAX` of UTF-8. "" where there is no text.
 */
export function searchableText(value: JsonValue, indexing: Indexing | undefined): string {
  const { text } = indexing ?? {};
  if (text === undefined) return textOf(value);
  if (!isTextPath(text)) return text;
  const found = valueAt(value, parseTextPath(text));
  return found === undefined ? "" : textOf(found);
}

function textOf(value: JsonValue): string {
  const parts: string[] = [];
  let left = SEARCHABLE_BYTES_MAX;
  /** False: there is room for no more. */
  const take = (inner: JsonValue): boolean => {
    if (typeof inner === "string") {
      if (parts.length > 0) left -= SEPARATOR.length;
      const part = startOf(inner, left);
      if (part !== "") parts.push(part);
      left -= Buffer.byteLength(part);
      return left > SEPARATOR.length && part.length === inner.length;
    }
    if (typeof inner !== "object" || inner === null) return true;
    return Object.values(inner).every(take);
  };
  take(value);
  return parts.join(SEPARATOR);
}

/** As many whole characters as fit. */
function startOf(text: string, bytesMax: number): string {
  if (text.length * 3 <= bytesMax || Buffer.byteLength(text) <= bytesMax) return text;
  // A UTF-16 unit is a byte at least.
  let end = Math.max(0, Math.min(text.length, bytesMax));
  let part = text.slice(0, end);
  for (let over = Buffer.byteLength(part) - bytesMax; over > 0;) {
    end -= Math.max(1, Math.floor(over / 3));
    part = text.slice(0, end);
    over = Buffer.byteLength(part) - bytesMax;
  }
  const last = part.charCodeAt(part.length - 1);
  return last >= 0xd800 && last < 0xdc00 ? part.slice(0, -1) : part;
}
