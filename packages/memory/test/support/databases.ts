import { systemClock } from "../../src/model/clock.ts";
import { DEFAULT_LIMITS } from "../../src/model/limits.ts";
import { intercept } from "../../src/testing/intercept.ts";
import { seededRandom } from "../../src/testing/index.ts";
import type { AuthorityTier } from "../../src/tiers/authority.ts";
import { PgliteDatabase } from "../../src/tiers/embedded/pglite-database.ts";
import { PostgresAuthority } from "../../src/tiers/postgres/authority.ts";
import type { Database } from "../../src/tiers/postgres/database.ts";
import { PgDatabase } from "../../src/tiers/postgres/pg-database.ts";

export const SCHEMA = "cherry";
const POOL_MAX = 8;

/** An embedded database that keeps nothing. */
export function embeddedDatabase(): Database {
  return new PgliteDatabase({ folder: ":memory:", clock: systemClock, random: seededRandom(1) });
}

export function serverDatabase(url: string): Database {
  return new PgDatabase({ url, poolMax: POOL_MAX, clock: systemClock, random: seededRandom(1) });
}

/** The real authority over a database, initialized. */
export async function openAuthority(database: Database): Promise<AuthorityTier> {
  const authority = new PostgresAuthority({
    database,
    schema: SCHEMA,
    clock: systemClock,
    limits: DEFAULT_LIMITS,
  });
  await authority.initialize();
  return authority;
}

/** The same authority for several users, none of which can open or close it. */
export function shared(authority: AuthorityTier): AuthorityTier {
  return intercept(authority, new Set(["initialize", "close"]), async () => {});
}
