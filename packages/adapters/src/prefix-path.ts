import { MemoryError } from "@cherry-ai/memory";
import { storedKey, storedSegment } from "./names.ts";
import type { StoredKey } from "./names.ts";

const SEPARATOR = ":";
/** Half of what a namespace of the memory may have; the rest is for where the driver's own lies. */
const SEGMENTS_MAX = 8;
const BYTES_MAX = 256;

/** Where a prefixed key is: in which namespace, under which key. */
export interface Place extends StoredKey {
  readonly path: readonly string[];
}

/**
 * "users:posts:1" is the key "1" in the namespace users/posts. So a prefix is a namespace with all
 * below it, and clearing it one write. Where the leading parts do not fit into a namespace, the
 * rest of the key stays together: the split depends on nothing but the text, from its left, so all
 * keys of a prefix that fits are in its namespace.
 */
export function placeOf(prefixedKey: string): Place {
  const parts = prefixedKey.split(SEPARATOR);
  const path = leading(parts.slice(0, -1));
  return { path, ...storedKey(parts.slice(path.length).join(SEPARATOR)) };
}

/** The namespace of a prefix. Throws INVALID_NAMESPACE when it does not fit into one. */
export function pathOf(prefix: string): readonly string[] {
  if (prefix === "") return [];
  const parts = prefix.split(SEPARATOR);
  const path = leading(parts);
  if (path.length === parts.length) return path;
  throw new MemoryError(
    "INVALID_NAMESPACE",
    `prefix: ${JSON.stringify(prefix.slice(0, BYTES_MAX))} has over ${SEGMENTS_MAX} parts or ${BYTES_MAX} bytes; use a shorter prefix`,
    { field: "prefix" },
  );
}

function leading(parts: readonly string[]): string[] {
  const path: string[] = [];
  let bytes = 0;
  for (const part of parts.slice(0, SEGMENTS_MAX)) {
    const segment = storedSegment(part);
    bytes += Buffer.byteLength(segment) + 1;
    if (bytes > BYTES_MAX) break;
    path.push(segment);
  }
  return path;
}
