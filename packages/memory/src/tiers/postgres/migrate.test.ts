import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startPgBouncer, temporaryFolder } from "@cherry-ai/services";
import {
  describeWithPgBouncer,
  describeWithPostgres,
  sharedPostgresUrl,
  testDatabase,
} from "@cherry-ai/services/vitest";
import { systemClock } from "../../model/clock.ts";
import { seededRandom } from "../../testing/seeded-random.ts";
import { PgliteDatabase } from "../embedded/pglite-database.ts";
import { migrate } from "./migrate.ts";
import { loadMigrations } from "./migrations.ts";
import { PgDatabase } from "./pg-database.ts";
import type { Database } from "./database.ts";
import type { Migration } from "./migrations.ts";

const SERVERS = 8;

function server(url: string): PgDatabase {
  return new PgDatabase({ url, poolMax: 2, clock: systemClock, random: seededRandom(1) });
}

function migration(id: number, text: string): Migration {
  return { id, name: `step-${id}`, text, checksum: `sum-${text.length}` };
}

const FIRST = migration(
  1,
  "CREATE TABLE {{schema}}.a (n int); INSERT INTO {{schema}}.a VALUES (1);",
);
const SECOND = migration(2, "ALTER TABLE {{schema}}.a ADD COLUMN m int;");

function migrateSuite(start: () => Promise<Database>): void {
  let database: Database;
  beforeAll(async () => {
    database = await start();
    await database.open();
  });
  afterAll(() => database?.close());

  test("applies what is missing, once", async () => {
    expect(await migrate(database, "plain", [FIRST])).toEqual({ from: 0, to: 1 });
    expect(await migrate(database, "plain", [FIRST, SECOND])).toEqual({ from: 1, to: 2 });
    expect(await migrate(database, "plain", [FIRST, SECOND])).toEqual({ from: 2, to: 2 });
    expect(await database.query({ text: "SELECT n, m FROM plain.a" })).toEqual([{ n: 1, m: null }]);
  });

  test("the release before runs on a database that is ahead of it", async () => {
    await migrate(database, "ahead", [FIRST, SECOND]);
    expect(await migrate(database, "ahead", [FIRST])).toEqual({ from: 2, to: 2 });
  });

  test("a changed file of an applied migration is refused", async () => {
    await migrate(database, "changed", [FIRST]);
    const changed = { ...FIRST, checksum: "another" };
    await expect(migrate(database, "changed", [changed])).rejects.toMatchObject({
      code: "INVALID_CONFIG",
    });
  });

  test("a migration that fails leaves nothing, not even its record", async () => {
    const broken = migration(2, "CREATE TABLE {{schema}}.b (n int); SELECT 1/0;");
    await migrate(database, "broken", [FIRST]);
    await expect(migrate(database, "broken", [FIRST, broken])).rejects.toThrow("division by zero");
    expect(await migrate(database, "broken", [FIRST, SECOND])).toEqual({ from: 1, to: 2 });
    const [row] = await database.query({ text: "SELECT to_regclass('broken.b') AS there" });
    expect(row).toEqual({ there: null });
  });

  test("this build's own migrations go through, in a schema with an awkward name", async () => {
    const last = (await loadMigrations()).length;
    expect(await migrate(database, "select", undefined)).toEqual({ from: 0, to: last });
  });
}

async function manyAtOnce(url: string): Promise<void> {
  const servers = Array.from({ length: SERVERS }, () => server(url));
  const last = (await loadMigrations()).length;
  const results = await Promise.all(servers.map((each) => migrate(each, "together")));
  expect(results.map((result) => result.to)).toEqual(Array(SERVERS).fill(last));
  const [row] = await (servers[0] ?? server(url)).query({
    text: "SELECT count(*) AS n FROM together.migrations",
  });
  expect(row).toEqual({ n: last });
  await Promise.all(servers.map((each) => each.close()));
}

describe("migrate on PGlite", () => {
  migrateSuite(async () => {
    return new PgliteDatabase({
      folder: ":memory:",
      clock: systemClock,
      random: seededRandom(1),
    });
  });
});

describeWithPostgres("migrate on PostgreSQL", () => {
  migrateSuite(async () => server(await testDatabase()));

  test("8 servers at once all end at the same state", async () => {
    await manyAtOnce(await testDatabase());
  });

  test("a role that may not create anything is told what to do", async () => {
    const url = new URL(await testDatabase());
    const owner = server(url.href);
    const role = `limited_${url.pathname.slice(1, 20)}`;
    await owner.script(`CREATE ROLE "${role}" LOGIN`);
    url.username = role;
    const limited = server(url.href);
    await expect(migrate(limited, "mine", [FIRST])).rejects.toThrow(
      expect.objectContaining({
        code: "INVALID_CONFIG",
        message: expect.stringContaining("grant this role CREATE on the database"),
      }),
    );
    await limited.close();
    await owner.close();
  });
});

describeWithPgBouncer("migrate through PgBouncer in transaction mode", () => {
  test("8 servers at once all end at the same state", async () => {
    const url = new URL(await testDatabase());
    const port = Number(new URL(sharedPostgresUrl()).port);
    const bouncer = await startPgBouncer({ postgres: { port }, poolSize: 3 });
    await manyAtOnce(bouncer.url(url.pathname.slice(1)));
    await bouncer.stop();
  });
});

describe("loadMigrations", () => {
  function folderOf(files: { readonly [name: string]: string }): URL {
    const folder = join(temporaryFolder("migrations").path, "sql");
    mkdirSync(folder);
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
    return pathToFileURL(`${folder}/`);
  }

  test("line ends do not change a checksum", async () => {
    const [unix] = await loadMigrations(folderOf({ "000001-a.sql": "SELECT 1;\nSELECT 2;\n" }));
    const [dos] = await loadMigrations(folderOf({ "000001-a.sql": "SELECT 1;\r\nSELECT 2;\r\n" }));
    expect(dos?.checksum).toBe(unix?.checksum);
  });

  test("a gap or a stray file is refused", async () => {
    const gap = folderOf({ "000001-a.sql": "", "000003-c.sql": "" });
    await expect(loadMigrations(gap)).rejects.toThrow("expected 000002-name.sql");
    await expect(loadMigrations(folderOf({ "notes.sql": "" }))).rejects.toThrow("notes.sql");
  });
});
