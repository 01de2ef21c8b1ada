import { MemoryError } from "../model/errors.ts";
import type { LogPlace } from "../tiers/shared.ts";

/**
 * What somebody has seen of the change log: all that transactions below `end` committed, but for
 * those still `open` then. The same as a snapshot of the database, and a set: one horizon may cover
 * another, and two may be joined.
 */
export interface Horizon {
  readonly end: LogPlace;
  /** Below `end`, ascending. */
  readonly open: readonly LogPlace[];
}

const SNAPSHOT = /^\d+:(\d+):([\d,]*)$/u;

/** Reads PostgreSQL's `xmin:xmax:xip_list`. */
export function horizonOf(snapshot: string): Horizon {
  const parts = SNAPSHOT.exec(snapshot);
  const end = Number(parts?.[1]);
  const open = (parts?.[2] ?? "").split(",").filter(Boolean).map(Number);
  if (![end, ...open].every(Number.isSafeInteger))
    throw new MemoryError("INTERNAL", "the database gave a snapshot that cannot be read");
  return { end, open: open.filter((place) => place < end).toSorted((a, b) => a - b) };
}

/** Whether who has seen `shown` has seen all of `demanded`. */
export function covers(shown: Horizon, demanded: Horizon): boolean {
  if (shown.end < demanded.end) return false;
  return shown.open.every((place) => place >= demanded.end || demanded.open.includes(place));
}

/** All that either of them shows. */
export function joinHorizons(one: Horizon, other: Horizon): Horizon {
  const [near, far] = one.end < other.end ? [one, other] : [other, one];
  // What `far` misses is still missed, unless `near` shows it.
  return {
    end: far.end,
    open: far.open.filter((place) => place >= near.end || near.open.includes(place)),
  };
}

/**
 * The same with at most `openMax` exceptions, those that have been open longest: the others are taken
 * for seen, which demands more than was seen, never less.
 */
export function boundHorizon(horizon: Horizon, openMax: number): Horizon {
  if (horizon.open.length <= openMax) return horizon;
  return { end: horizon.end, open: horizon.open.slice(0, openMax) };
}
