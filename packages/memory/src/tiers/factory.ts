import type { MemoryConfig } from "../config/config.ts";
import type { Metrics } from "../metrics/metrics.ts";
import type { Clock, Random } from "../model/clock.ts";
import { MemoryTier } from "../model/item.ts";
import type { AuthorityTier } from "./authority.ts";
import { PgvectorTier } from "./pgvector/pgvector-tier.ts";
import { HotTier } from "./hot/hot-tier.ts";
import { PostgresAuthority } from "./postgres/authority.ts";
import type { Database } from "./postgres/database.ts";
import { ProcessTier } from "./process/process-tier.ts";
import type { SharedTier } from "./shared.ts";
import type { ByteTier, ObjectTier } from "./tier.ts";
import type { VectorTier } from "./vector.ts";

const BYTES_PER_MB = 1024 * 1024;

/** What the surroundings give to every tier. */
export interface TierSurroundings {
  readonly clock: Clock;
  readonly random: Random;
  readonly metrics: Metrics;
}

/** The tiers of one manager; one that is switched off is undefined. */
export interface Tiers {
  readonly objects: ObjectTier | undefined;
  readonly bytes: ByteTier | undefined;
  /** Seen by all servers; absent where there is none. */
  readonly shared?: SharedTier | undefined;
  readonly authority: AuthorityTier;
  /** Search by meaning; absent where it is switched off. */
  readonly vectors?: VectorTier | undefined;
}

/** A tier that this configuration leaves out, and the remedy. */
export interface TierLeftOut {
  readonly tier: MemoryTier;
  readonly reason: string;
}

function hotTier(config: MemoryConfig, around: TierSurroundings): ObjectTier | undefined {
  const { enabled, maxSizeMb, maxItems } = config.tiers.L0;
  if (!enabled) return undefined;
  return new HotTier({ maxBytes: maxSizeMb * BYTES_PER_MB, maxItems, clock: around.clock });
}

function processTier(config: MemoryConfig, around: TierSurroundings): ByteTier | undefined {
  const { enabled, maxSizeMb, maxItems, eviction } = config.tiers.L1;
  if (!enabled) return undefined;
  return new ProcessTier({
    maxBytes: maxSizeMb * BYTES_PER_MB,
    maxItems,
    clock: around.clock,
    eviction: eviction ?? "lru",
  });
}

/** Drivers are loaded only where they are used: each costs start-up time and memory. */
async function openDatabase(config: MemoryConfig, around: TierSurroundings): Promise<Database> {
  const { url, passwordFile, connectionBudget, servers } = config.tiers.L3;
  if (url === undefined) {
    const { PgliteDatabase } = await import("./embedded/pglite-database.ts");
    return new PgliteDatabase({ folder: config.dataDir, ...around });
  }
  const { PgDatabase } = await import("./postgres/pg-database.ts");
  return new PgDatabase({
    url,
    ...(passwordFile === undefined ? {} : { passwordFile }),
    poolMax: Math.max(2, Math.floor(connectionBudget / servers)),
    ...around,
  });
}

async function sharedTier(
  config: MemoryConfig,
  around: TierSurroundings,
): Promise<SharedTier | undefined> {
  const { enabled, url, passwordFile, prefix, commandTimeoutMs, bus } = config.tiers.L2;
  if (!enabled || url === undefined) return undefined;
  const { RedisTier } = await import("./redis/redis-tier.ts");
  return new RedisTier({
    url,
    ...(passwordFile === undefined ? {} : { passwordFile }),
    prefix,
    commandTimeoutMs,
    bus,
    ...around,
  });
}

async function vectorTier(
  config: MemoryConfig,
  around: TierSurroundings,
  database: Database,
): Promise<VectorTier | undefined> {
  const { enabled, url, ...options } = config.tiers.L4;
  if (!enabled) return undefined;
  if (url === undefined)
    return new PgvectorTier({ database, schema: config.tiers.L3.schema, ...around });
  const { WeaviateTier } = await import("./weaviate/weaviate-tier.ts");
  return new WeaviateTier({ url, ...options, ...around });
}

/** Makes every tier that the configuration asks for. The only place that names concrete tiers. */
export async function createTiers(config: MemoryConfig, around: TierSurroundings): Promise<Tiers> {
  // First what may refuse the configuration: a database that was opened would stay open.
  const shared = await sharedTier(config, around);
  const database = await openDatabase(config, around);
  const { schema } = config.tiers.L3;
  const { limits } = config;
  const { clock, metrics } = around;
  return {
    objects: hotTier(config, around),
    bytes: processTier(config, around),
    shared,
    authority: new PostgresAuthority({ database, schema, clock, limits, metrics }),
    vectors: await vectorTier(config, around, database),
  };
}

/** Tiers that are off under this configuration, each with why and what would switch it on. */
export function tiersLeftOut(config: MemoryConfig): readonly TierLeftOut[] {
  const { L0, L1, L2, L4 } = config.tiers;
  const left: TierLeftOut[] = [];
  if (!L0.enabled) left.push({ tier: MemoryTier.L0_CPU_CACHE, reason: "switched off by tiers.L0" });
  if (!L1.enabled)
    left.push({ tier: MemoryTier.L1_PROCESS_MEMORY, reason: "switched off by tiers.L1" });
  if (L2.url === undefined)
    left.push({
      tier: MemoryTier.L2_SHARED_MEMORY,
      reason: "REDIS_URL is not set; servers stay coherent through the change log",
    });
  else if (!L2.enabled)
    left.push({ tier: MemoryTier.L2_SHARED_MEMORY, reason: "switched off by tiers.L2" });
  if (!L4.enabled) left.push({ tier: MemoryTier.L4_WEAVIATE, reason: "switched off by tiers.L4" });
  return left;
}
