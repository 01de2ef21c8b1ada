import type { Read } from "../history/history.ts";
import type { KeyHistory } from "./key-history.ts";
import { UNKNOWN_LIFETIME_MS, isSurelyBefore } from "./placing.ts";
import type { Placed } from "./placing.ts";

/** Lifetimes are counted by the database; it and we may round differently. */
const LIFETIME_SLACK_MS = 5;

/**
 * Whether `put` may be gone when `read` ends: its time is up, or a removal may have come after it, or
 * a later put of which the time is up.
 */
export function mayBeGone(
  put: Placed,
  { puts, removals }: Pick<KeyHistory, "puts" | "removals">,
  read: Read,
): boolean {
  if (mayHaveExpired(put, read)) return true;
  const mayFollow = (other: Placed): boolean =>
    !isSurelyBefore(other, put) &&
    (other.doneBy < Infinity || other.write.start > put.write.start - UNKNOWN_LIFETIME_MS);
  return (
    removals.some((removal) => removal.write.start < read.end && mayFollow(removal)) ||
    puts.some((later) => mayHaveExpired(later, read) && mayFollow(later))
  );
}

function mayHaveExpired({ write }: Placed, read: Read): boolean {
  const { ttlMs, start } = write;
  return ttlMs !== undefined && read.end >= start + ttlMs - LIFETIME_SLACK_MS;
}
