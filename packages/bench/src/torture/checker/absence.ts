import type { Read } from "../history/history.ts";
import { UNKNOWN_LIFETIME_MS, isSurelyBefore } from "./placing.ts";
import type { Placed } from "./placing.ts";

/** Lifetimes are counted by the database; it and we may round differently. */
const LIFETIME_SLACK_MS = 5;

/** Whether `put` may be gone when `read` ends: its time is up, or a removal may have come after it. */
export function mayBeGone(put: Placed, removals: readonly Placed[], read: Read): boolean {
  const { ttlMs, start } = put.write;
  if (ttlMs !== undefined && read.end >= start + ttlMs - LIFETIME_SLACK_MS) return true;
  return removals.some((removal) => {
    if (removal.write.start >= read.end || isSurelyBefore(removal, put)) return false;
    return removal.doneBy < Infinity || removal.write.start > put.write.start - UNKNOWN_LIFETIME_MS;
  });
}
