import type { Entry } from "./truth.ts";

/** A cache as it is used beside a database: read through it, and told of what changed. */
export interface PeerCache {
  /** What it holds, else what `load` gives, which it keeps. */
  read(key: string, load: () => Promise<Entry>): Promise<Entry>;
  /** The database has this now. */
  written(key: string, entry: Entry): Promise<void>;
  removed(key: string): Promise<void>;
  close(): Promise<void>;
}

export type PeerCacheFactory = (redisUrl: string) => Promise<PeerCache>;

const HOUR_MS = 3_600_000;
/** Long, as a cache's lifetimes are: what is stale stays so. */
export const LIFETIME_MS: number = HOUR_MS;
