import { afterAll, beforeAll, describe, test } from "vitest";
import { describeWithPostgres, testDatabase } from "@cherry-ai/services/vitest";
import { authoritySuite, registerSuite } from "../src/testing/index.ts";
import type { AuthorityTier } from "../src/tiers/authority.ts";
import type { Database } from "../src/tiers/postgres/database.ts";
import { embeddedDatabase, openAuthority, serverDatabase } from "./support/databases.ts";

/** One authority for all cases: each keeps to a namespace of its own. */
function registerOver(name: string, database: () => Promise<Database>): void {
  let authority: AuthorityTier;
  beforeAll(async () => {
    authority = await openAuthority(await database());
  });
  afterAll(() => authority?.close());
  const open = async (): Promise<{ authority: AuthorityTier; close: () => Promise<void> }> => ({
    authority,
    close: async () => {},
  });
  registerSuite(authoritySuite(name, open), { describe, test });
}

describe("embedded", () => {
  registerOver("PostgresAuthority on PGlite", async () => embeddedDatabase());
});

describeWithPostgres("server", () => {
  registerOver("PostgresAuthority on PostgreSQL", async () => serverDatabase(await testDatabase()));
});
