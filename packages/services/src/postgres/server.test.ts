import { Client } from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { pgBouncerAvailable, startPgBouncer, startPostgres, startProxy } from "../index.ts";
import type { PostgresServer } from "../index.ts";
import {
  describeWithPgBouncer,
  describeWithPgvector,
  describeWithPostgres,
  testDatabase,
} from "../vitest/shared-postgres.ts";

async function query(url: string, sql: string): Promise<unknown[]> {
  const client = new Client({ connectionString: url });
  client.on("error", () => {});
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end().catch(() => {});
  }
}

describeWithPostgres("a PostgreSQL of one's own", () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(() => server.remove());

  test("keeps its data over a restart and over a crash", async () => {
    const url = await server.databaseUrl("kept");
    await query(url, "create table t (n int); insert into t values (1)");
    await server.restart();
    await query(url, "insert into t values (2)");
    await server.kill();
    await expect(query(url, "select 1")).rejects.toThrow();
    await server.start();
    expect(await query(url, "select n from t order by n")).toEqual([{ n: 1 }, { n: 2 }]);
  });

  test("flushes to disk unless told otherwise", async () => {
    expect(await query(server.url, "show fsync")).toEqual([{ fsync: "on" }]);
  });
});

describeWithPostgres("the run's PostgreSQL", () => {
  test("gives each test an empty database", async () => {
    const [first, second] = await Promise.all([testDatabase(), testDatabase()]);
    await query(first, "create table t ()");
    expect(await query(second, "select relname from pg_class where relname = 't'")).toEqual([]);
  });

  test("loses the answer, not the commit, when the proxy cuts after it", async () => {
    const url = await testDatabase();
    await query(url, "create table t (n int)");
    const proxy = await startProxy({
      target: Number(new URL(url).port),
      onData: (direction, data) =>
        direction === "up" && data.includes("insert into t") ? "cut-after" : "pass",
    });
    try {
      await expect(query(proxy.through(url), "insert into t values (7)")).rejects.toThrow();
      await expect
        .poll(() => query(url, "select n from t"), { timeout: 5_000 })
        .toEqual([{ n: 7 }]);
    } finally {
      await proxy.close();
    }
  });
});

describeWithPgvector("the run's PostgreSQL with pgvector", () => {
  test("orders by distance", async () => {
    const url = await testDatabase();
    await query(url, "create extension vector");
    const sql = "select '[1,2,3]'::vector <-> '[1,2,5]' as distance";
    expect(await query(url, sql)).toEqual([{ distance: 2 }]);
  });
});

describeWithPgBouncer("PgBouncer", () => {
  test("serves a database made after its start", async () => {
    const url = new URL(await testDatabase());
    const bouncer = await startPgBouncer({ postgres: { port: Number(url.port) } });
    try {
      expect(pgBouncerAvailable()).toBeUndefined();
      expect(await query(bouncer.url(url.pathname.slice(1)), "select 1 as one")).toEqual([
        { one: 1 },
      ]);
    } finally {
      await bouncer.stop();
    }
  });
});
