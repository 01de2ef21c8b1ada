import type { BatchResult } from "./memory.ts";

/** What a batch has shown of one item; without a version: that there is none, or that it is not known. */
export interface VersionSeen {
  readonly key: string;
  readonly version: number | undefined;
  /** It may have come from a copy. */
  readonly isRead: boolean;
}

/**
 * What the results of a batch tell of each item. A write says all that the reads of the same item in
 * the same batch could say.
 */
export function versionsSeen(results: readonly BatchResult[]): readonly VersionSeen[] {
  const seen = new Map<string, VersionSeen>();
  for (const { type, key, success, version, error } of results) {
    const isRead = type === "get" || type === "exists";
    const isConflict = error?.code === "VERSION_CONFLICT" || error?.code === "NOT_FOUND";
    if (!success && !isConflict) continue;
    if (isRead && seen.get(key)?.isRead === false) continue;
    const known = version === undefined ? undefined : Number(version);
    seen.set(key, { key, version: success ? known : undefined, isRead });
  }
  return [...seen.values()];
}
