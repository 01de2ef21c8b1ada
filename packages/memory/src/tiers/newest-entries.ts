import { compareText } from "../model/text.ts";
import { refId } from "./tier.ts";
import type { EntryRef } from "./vector.ts";

/**
 * One entry a key, the newest, in key order: a statement must not meet a row twice, and servers that
 * lock rows in one order do not lock each other out.
 */
export function newestEntries<E extends EntryRef>(entries: readonly E[]): E[] {
  const newest = new Map<string, E>();
  for (const entry of entries) {
    const id = refId(entry);
    const known = newest.get(id);
    if (known === undefined || known.itemVersion <= entry.itemVersion) newest.set(id, entry);
  }
  return [...newest.values()].toSorted(
    (a, b) => compareText(a.namespace, b.namespace) || compareText(a.key, b.key),
  );
}
