import type { Random } from "../../src/model/clock.ts";
import type { Pace } from "./link.ts";
import type { SharedLives } from "./shared-rules.ts";

/** What one seed is about. Milliseconds. */
export interface Plan {
  readonly servers: number;
  readonly operations: number;
  readonly faults: number;
  readonly runMs: number;
  readonly boundMs: number;
  readonly withRedis: boolean;
  readonly databasePace: Pace;
  readonly databaseTimeoutMs: number;
  readonly redisPace: Pace;
  readonly redisTimeoutMs: number;
  readonly commitMs: Pace;
  readonly followMax: number;
  readonly tombstoneMs: number;
  readonly sweepIntervalMs: number;
  readonly lives: SharedLives;
  /** Share of operations that write. */
  readonly writeShare: number;
}

const SERVERS_MIN = 3;
const OPERATIONS_MIN = 300;
const FAULTS_MIN = 5;
const BOUND_MS = 400;
const RUN_MS = 2400;

/** Between one share and the other, most often near the first. */
function mostly(random: Random, usual: number, most: number): number {
  return usual + (most - usual) * random() ** 4;
}

export function planOf(random: Random): Plan {
  const boundMs = BOUND_MS;
  return {
    servers: SERVERS_MIN + (random() < 0.25 ? 1 : 0),
    operations: OPERATIONS_MIN + Math.floor(random() * 60),
    faults: FAULTS_MIN + Math.floor(random() * 6),
    runMs: RUN_MS,
    boundMs,
    withRedis: random() < 0.75,
    databasePace: {
      usualMs: mostly(random, 1, 20),
      lateShare: random() * 0.15,
      lateMs: mostly(random, 30, boundMs * 1.5),
    },
    databaseTimeoutMs: boundMs * 2,
    redisPace: {
      usualMs: mostly(random, 0.5, 20),
      lateShare: random() * 0.15,
      lateMs: mostly(random, 30, boundMs * 3),
    },
    redisTimeoutMs: boundMs / 4,
    commitMs: { usualMs: mostly(random, 0.5, 20), lateShare: random() * 0.1, lateMs: boundMs },
    followMax: random() < 0.3 ? 12 : 1000,
    tombstoneMs: boundMs * 16,
    sweepIntervalMs: boundMs * 2,
    // As in the product a copy is gone before a tombstone is, and a marker outlives a lease.
    lives: { leaseMs: boundMs / 2, copyMs: boundMs * 6, markerMs: boundMs * 6 },
    writeShare: 0.2 + random() * 0.4,
  };
}
