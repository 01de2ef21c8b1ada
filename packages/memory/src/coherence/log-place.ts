import { MemoryError } from "../model/errors.ts";
import type { LogPlace } from "../tiers/shared.ts";

/** What a snapshot of the log (see FollowState) says about the order in which transactions began. */
export interface SnapshotPlaces {
  /**
   * Every change by a transaction below it shows in a later read, and no change is still to come with
   * such a number, not even after a crash of the database.
   */
  readonly settled: LogPlace;
  /** No change by a transaction from here on showed. */
  readonly unborn: LogPlace;
}

const SNAPSHOT = /^(\d+):(\d+):/u;

/**
 * Reads PostgreSQL's `xmin:xmax:xip_list`. Transaction ids count up with 64 bits; below 2^53 they are
 * exact here, which lasts 285 years at a million transactions a second.
 */
export function placesOf(snapshot: string): SnapshotPlaces {
  const parts = SNAPSHOT.exec(snapshot);
  const settled = Number(parts?.[1]);
  const unborn = Number(parts?.[2]);
  if (!Number.isSafeInteger(settled) || !Number.isSafeInteger(unborn))
    throw new MemoryError("INTERNAL", "the database gave a snapshot that cannot be read");
  return { settled, unborn };
}
