import { afterAll, beforeAll, describe, test } from "vitest";
import { startWeaviate } from "@cherry-ai/services";
import type { WeaviateServer } from "@cherry-ai/services";
import {
  describeWithPgvector,
  describeWithWeaviate,
  testDatabase,
} from "@cherry-ai/services/vitest";
import { systemClock } from "../src/model/clock.ts";
import { registerSuite, seededRandom, vectorTierSuite } from "../src/testing/index.ts";
import { PgvectorTier } from "../src/tiers/pgvector/pgvector-tier.ts";
import type { SearchOptions } from "../src/tiers/pgvector/search-options.ts";
import type { Database } from "../src/tiers/postgres/database.ts";
import { WeaviateTier } from "../src/tiers/weaviate/weaviate-tier.ts";
import { SCHEMA, embeddedDatabase, openAuthority, serverDatabase } from "./support/databases.ts";

/** Walks the graph wherever more than a few match, which small tests would never do. */
const WALKING: Partial<SearchOptions> = { exactRowsMax: 5 };

/** One database for all cases: each keeps to index versions of its own. */
function registerOver(
  name: string,
  make: () => Promise<Database>,
  search?: Partial<SearchOptions>,
): void {
  let database: Database;
  let close = async (): Promise<void> => {};
  beforeAll(async () => {
    database = await make();
    const authority = await openAuthority(database);
    close = () => authority.close();
  });
  afterAll(() => close());
  const open = async (): Promise<PgvectorTier> => {
    const tier = new PgvectorTier({
      database,
      schema: SCHEMA,
      clock: systemClock,
      ...(search === undefined ? {} : { search }),
    });
    await tier.initialize();
    return tier;
  };
  registerSuite(vectorTierSuite(name, { open }), { describe, test });
}

describe("embedded", () => {
  registerOver("PgvectorTier on PGlite", async () => embeddedDatabase());
});

describe("embedded, by the graph", () => {
  registerOver("PgvectorTier on PGlite, by the graph", async () => embeddedDatabase(), WALKING);
});

describeWithPgvector("server", () => {
  registerOver("PgvectorTier on PostgreSQL", async () => serverDatabase(await testDatabase()));
});

describeWithPgvector("server, by the graph", () => {
  const make = async (): Promise<Database> => serverDatabase(await testDatabase());
  registerOver("PgvectorTier on PostgreSQL, by the graph", make, WALKING);
});

describeWithWeaviate("Weaviate", () => {
  let server: WeaviateServer;
  beforeAll(async () => {
    server = await startWeaviate();
  });
  afterAll(() => server.remove());
  const open = async (): Promise<WeaviateTier> => {
    const tier = new WeaviateTier({
      url: server.url,
      grpcUrl: server.grpcUrl,
      clock: systemClock,
      random: seededRandom(1),
    });
    await tier.initialize();
    return tier;
  };
  registerSuite(vectorTierSuite("WeaviateTier", { open }), { describe, test });
});
