import { afterAll, beforeAll, expect, test } from "vitest";
import { startPostgres } from "@cherry-ai/services";
import type { PostgresServer } from "@cherry-ai/services";
import { describeWithPostgres } from "@cherry-ai/services/vitest";
import type { Database } from "../../src/tiers/postgres/database.ts";
import { openRig, pgDatabase, put, selectionOf, writeOne } from "./support.ts";
import type { Rig } from "./support.ts";

async function isFlushed(database: Database, work: () => Promise<unknown>): Promise<boolean> {
  const [before] = await database.query({ text: "SELECT pg_current_wal_insert_lsn()::text AS at" });
  await work();
  const [after] = await database.query(
    { text: "SELECT pg_current_wal_flush_lsn() > $1::text::pg_lsn AS flushed" },
    [String(before?.["at"])],
  );
  return after?.["flushed"] === true;
}

describeWithPostgres("on a database that acknowledges commits before it flushes them", () => {
  let server: PostgresServer | undefined;
  let rig: Rig;

  beforeAll(async () => {
    // Nothing is flushed but by commits.
    server = await startPostgres({ settings: { wal_writer_delay: "10s" } });
    const url = await server.databaseUrl("async");
    const setting = pgDatabase(url, 1);
    await setting.open();
    await setting.script("ALTER DATABASE async SET synchronous_commit = off");
    await setting.close();
    rig = await openRig(pgDatabase(url));
  });
  afterAll(async () => {
    await rig?.authority.close();
    await server?.remove();
  });

  test("what is no change of ours is not flushed", async () => {
    const { database } = rig;
    const results: boolean[] = [];
    // The server may flush by itself now and then, but hardly each time.
    for (let n = 0; n < 3; n += 1) {
      const text = `CREATE TABLE foreign${n} (n int)`;
      results.push(await isFlushed(database, () => database.write({ text })));
    }
    expect(results).toContain(false);
  });

  test("every change is flushed before it is acknowledged", async () => {
    const { authority, database } = rig;
    const works: Record<string, () => Promise<unknown>> = {
      put: () => writeOne(authority, put("a")),
      batch: () => authority.write([put("b"), put("c", { condition: "absent" })]),
      modify: () => authority.modify(put("a"), () => put("a")),
      forget: () =>
        authority.forgetChunk(selectionOf("n", { keys: ["b"] }), {
          limit: 9,
          after: undefined,
          dryRun: false,
        }),
      clear: () => authority.clear("n", false),
    };
    for (const [name, work] of Object.entries(works))
      expect([name, await isFlushed(database, work)]).toEqual([name, true]);
  });
});
