import { describeWithPostgres, testDatabase } from "@cherry-ai/services/vitest";
import { afterAll, beforeAll, expect, test } from "vitest";
import { UnifiedMemoryManager } from "../../src/manager/unified-memory-manager.ts";
import type { Database } from "../../src/tiers/postgres/database.ts";
import { migrate } from "../../src/tiers/postgres/migrate.ts";
import { loadMigrations } from "../../src/tiers/postgres/migrations.ts";
import type { Migration } from "../../src/tiers/postgres/migrations.ts";
import { SCHEMA, serverDatabase } from "../support/databases.ts";

/** What the next release may do to the tables: all that the rule of migrations lets through. */
const NEXT_SQL = `
ALTER TABLE {{schema}}.items ADD COLUMN next_facts jsonb, ADD COLUMN next_rank int NOT NULL DEFAULT 0;
ALTER TABLE {{schema}}.changes ADD COLUMN next_cause text;
ALTER TABLE {{schema}}.jobs ADD COLUMN next_owner text;
CREATE TABLE {{schema}}.next_things (id bigint PRIMARY KEY);
CREATE INDEX next_index ON {{schema}}.items (namespace, next_rank);
INSERT INTO {{schema}}.meta (name, value) VALUES ('next_mark', '1');
UPDATE {{schema}}.items SET next_facts = '{}';`;

function nextAfter(known: readonly Migration[]): Migration {
  return { id: known.length + 1, name: "next", text: NEXT_SQL, checksum: "next" };
}

function openMemory(url: string): UnifiedMemoryManager {
  return new UnifiedMemoryManager({
    maxStalenessMs: 200,
    metrics: { enabled: false, prometheusEnabled: false },
    tiers: { L3: { url, connectionBudget: 8, servers: 1 } },
  });
}

async function useAll(memory: UnifiedMemoryManager, ns: string): Promise<void> {
  const space = memory.namespace(ns);
  const { version } = await space.set("a", { n: 1 }, { metadata: { m: 1 }, tags: ["t"] });
  await space.compareAndSet("a", version, { n: 2 }, { metadata: { m: 1 }, tags: ["t"] });
  await space.mergePatch("a", { p: 3 });
  expect(await space.get("a", { consistency: "latest" })).toEqual({ n: 2, p: 3 });
  await space.batchOperations([{ type: "set", key: "b", value: 1 }], { atomic: true });
  expect(await space.getOrSet("c", () => "loaded")).toBe("loaded");
  await space.touch("b", { ttlSeconds: 60 });
  const { items } = await space.search({ metadataFilter: { m: { $eq: 1 } }, tags: ["t"] });
  expect(items.map(({ key }) => key)).toEqual(["a"]);
  const start = await space.changes({ after: "0" });
  expect(start.changes.map(({ key }) => key)).toContain("c");
  expect((await space.delete("b")).existed).toBe(true);
  expect((await space.forget({ pattern: "c" })).forgotten).toBe(1);
  await space.clear();
  expect(await space.get("a", { consistency: "latest" })).toBeUndefined();
}

describeWithPostgres("a database between two releases", () => {
  let url: string;
  let database: Database;

  beforeAll(async () => {
    url = await testDatabase();
    database = serverDatabase(url);
    await database.open();
  });
  afterAll(() => database?.close());

  test("a server goes on, and one of its release starts, where the next has migrated", async () => {
    const running = openMemory(url);
    await running.initialize();
    await useAll(running, "before");
    const known = await loadMigrations();
    const next = nextAfter(known);
    const moved = await migrate(database, SCHEMA, [...known, next]);
    expect(moved).toEqual({ from: known.length, to: next.id });
    await useAll(running, "after");
    const started = openMemory(url);
    await started.initialize();
    await useAll(started, "started");
    await started.close();
    await running.close();
  });

  test("a server that may not migrate says so, and serves nothing from tables that are too old", async () => {
    const older = new URL(await testDatabase());
    const owner = serverDatabase(older.href);
    const known = await loadMigrations();
    await migrate(owner, SCHEMA, known.slice(0, -1));
    const role = `rolling_${older.pathname.slice(1, 20)}`;
    await owner.script(`CREATE ROLE "${role}" LOGIN;
      GRANT USAGE ON SCHEMA ${SCHEMA} TO "${role}";
      GRANT ALL ON ALL TABLES IN SCHEMA ${SCHEMA} TO "${role}";`);
    const limited = new URL(older);
    limited.username = role;
    const memory = openMemory(limited.href);
    await expect(memory.initialize()).rejects.toMatchObject({
      code: "INVALID_CONFIG",
      message: expect.stringMatching(
        `migration ${known.length} may not be made by this database role`,
      ) as unknown,
    });
    await memory.close();
    await owner.close();
  });
});
