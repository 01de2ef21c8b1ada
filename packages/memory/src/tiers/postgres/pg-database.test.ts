import { setTimeout as pause } from "node:timers/promises";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { startPostgres, startProxy, temporaryFolder } from "@cherry-ai/services";
import { describeWithPostgres } from "@cherry-ai/services/vitest";
import type { PostgresServer, Proxy } from "@cherry-ai/services";
import { systemClock } from "../../model/clock.ts";
import { noMetrics } from "../../metrics/metrics.ts";
import { seededRandom } from "../../testing/seeded-random.ts";
import { PgDatabase } from "./pg-database.ts";
import type { PgDatabaseOptions } from "./pg-database.ts";
import type { Queryable } from "./database.ts";

/** Contract: while PostgreSQL is away a write is answered within a second. Half of it again for CI. */
const AWAY_MS_MAX = 1500;
const INSERT = { name: "insert", text: "INSERT INTO marks (name) VALUES ($1)" };
const COUNT = { name: "count", text: "SELECT count(*) AS n FROM marks WHERE name = $1" };

function open(url: string, options: Partial<PgDatabaseOptions> = {}): PgDatabase {
  return new PgDatabase({
    url,
    poolMax: 4,
    clock: systemClock,
    random: seededRandom(1),
    ...options,
  });
}

async function timed(work: Promise<unknown>): Promise<{ readonly code: unknown; ms: number }> {
  const startedMs = systemClock.monotonicMs();
  const error: unknown = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  const code = error instanceof Error && "code" in error ? error.code : error;
  return { code, ms: systemClock.monotonicMs() - startedMs };
}

const insertMarks =
  (name: string) =>
  async (tx: Queryable): Promise<void> => {
    await tx.query(INSERT, [name]);
  };

describeWithPostgres("PgDatabase with a network and a server that fail", () => {
  let server: PostgresServer;
  let proxy: Proxy;
  /** Through the proxy. */
  let database: PgDatabase;
  /** Past the proxy, to see what is really there. */
  let direct: PgDatabase;

  beforeAll(async () => {
    server = await startPostgres();
    direct = open(server.url);
    await direct.script("CREATE TABLE marks (name text PRIMARY KEY)");
  });
  afterAll(async () => {
    await direct?.close();
    await server?.remove();
  });
  beforeEach(async () => {
    proxy = await startProxy({ target: server.port });
    database = open(proxy.through(server.url));
    await database.open();
  });
  afterEach(async () => {
    await database.close();
    await proxy.close();
  });

  async function count(name: string): Promise<unknown> {
    return (await direct.query(COUNT, [name]))[0]?.["n"];
  }

  test("a connection cut after COMMIT was sent is OUTCOME_UNKNOWN, and the write may be there", async () => {
    proxy.onData = (direction, data) =>
      direction === "up" && data.includes("COMMIT") ? "cut-after" : "pass";
    const outcome = await timed(database.transaction(insertMarks("after-commit")));
    expect(outcome.code).toBe("OUTCOME_UNKNOWN");
    await expect.poll(() => count("after-commit")).toBe(1);
  });

  test("a connection cut before COMMIT arrives is OUTCOME_UNKNOWN too: we cannot know", async () => {
    proxy.onData = (direction, data) =>
      direction === "up" && data.includes("COMMIT") ? "cut" : "pass";
    const outcome = await timed(database.transaction(insertMarks("at-commit")));
    expect(outcome.code).toBe("OUTCOME_UNKNOWN");
    expect(await count("at-commit")).toBe(0);
  });

  test("cut before COMMIT is sent is STORE_UNAVAILABLE, and surely nothing is written", async () => {
    const outcome = await timed(
      database.transaction(async (tx) => {
        await tx.query(INSERT, ["before-commit"]);
        proxy.refuse();
        await tx.query(COUNT, ["before-commit"]);
      }),
    );
    expect(outcome.code).toBe("STORE_UNAVAILABLE");
    expect(outcome.ms).toBeLessThan(AWAY_MS_MAX);
    expect(await count("before-commit")).toBe(0);
  });

  test("cut while its work did something else is surely not committed and run again", async () => {
    let runs = 0;
    await database.transaction(async (tx) => {
      runs++;
      await tx.query(INSERT, ["again"]);
      if (runs > 1) return;
      proxy.cut();
      await pause(50);
    });
    expect(runs).toBe(2);
    expect(await count("again")).toBe(1);
  });

  test("an autocommitted write whose answer is lost is OUTCOME_UNKNOWN and not repeated", async () => {
    let seen = 0;
    proxy.onData = (direction, data) => {
      if (direction !== "up" || !data.includes("INSERT INTO marks")) return "pass";
      seen++;
      return "cut-after";
    };
    const outcome = await timed(database.write(INSERT, ["single"]));
    expect(outcome.code).toBe("OUTCOME_UNKNOWN");
    expect(seen).toBe(1);
    await expect.poll(() => count("single")).toBe(1);
  });

  test("a read whose connection is cut is run again on another", async () => {
    let cuts = 0;
    proxy.onData = (direction, data) => {
      if (direction !== "up" || !data.includes("SELECT count")) return "pass";
      cuts++;
      return cuts === 1 ? "cut" : "pass";
    };
    expect(await database.query(COUNT, ["nothing"])).toEqual([{ n: 0 }]);
    expect(cuts).toBe(2);
  });

  test("a server that accepts nothing is STORE_UNAVAILABLE within a second, and comes back by itself", async () => {
    proxy.refuse();
    // A write sent before the reset is noticed is honestly OUTCOME_UNKNOWN.
    await pause(50);
    for (let call = 0; call < 5; call++) {
      const outcome = await timed(database.write(INSERT, ["refused"]));
      expect(outcome.code).toBe("STORE_UNAVAILABLE");
      expect(outcome.ms).toBeLessThan(AWAY_MS_MAX);
    }
    proxy.resume();
    await expect
      .poll(() => timed(database.query(COUNT, ["x"])), { timeout: 5000 })
      .toMatchObject({
        code: undefined,
      });
    expect(await count("refused")).toBe(0);
  });

  test("half-open: reads and new connections end within the bound, and it recovers", async () => {
    await database.query(COUNT, ["warm"]);
    proxy.stall();
    const read = await timed(database.query(COUNT, ["x"]));
    expect(read.code).toBe("STORE_UNAVAILABLE");
    expect(read.ms).toBeLessThan(AWAY_MS_MAX);
    const write = await timed(database.write(INSERT, ["half-open"]));
    expect(write.code).toBe("STORE_UNAVAILABLE");
    expect(write.ms).toBeLessThan(AWAY_MS_MAX);
    proxy.resume();
    await expect
      .poll(() => timed(database.query(COUNT, ["x"])), { timeout: 5000 })
      .toMatchObject({
        code: undefined,
      });
    expect(await count("half-open")).toBe(0);
  });

  test("half-open under a write that was sent is OUTCOME_UNKNOWN within the bound", async () => {
    await database.query(COUNT, ["warm"]);
    proxy.stall();
    const write = await timed(database.write(INSERT, ["into-the-void"]));
    expect(write.code).toBe("OUTCOME_UNKNOWN");
    expect(write.ms).toBeLessThan(AWAY_MS_MAX);
  });

  test("a slow statement on a server that is there is left alone", async () => {
    const slow = await timed(database.query({ text: "SELECT pg_sleep(1.2)" }));
    expect(slow.code).toBeUndefined();
  });

  test("a statement beyond its time is ended, also inside the server", async () => {
    const impatient = open(server.url, { queryTimeoutMs: 300 });
    const running = { text: "SELECT count(*) AS n FROM pg_stat_activity WHERE query LIKE $1" };
    const outcome = await timed(impatient.query({ text: "SELECT pg_sleep(60), 'sleeper'" }));
    expect(outcome.code).toBe("STORE_UNAVAILABLE");
    await expect
      .poll(async () => (await direct.query(running, ["%''sleeper%".replace("''", "'")]))[0])
      .toEqual({ n: 0 });
    await impatient.close();
  });

  test("calls beyond the pool wait, within a bound, and are not sent", async () => {
    const narrow = open(server.url, { poolMax: 1, acquireTimeoutMs: 100 });
    const long = narrow.query({ text: "SELECT pg_sleep(1)" });
    const waiting = await timed(narrow.write(INSERT, ["crowded"]));
    expect(waiting.code).toBe("STORE_UNAVAILABLE");
    await long;
    expect(await count("crowded")).toBe(0);
    await narrow.close();
  });

  test("a call decided late is decided once, however often it is tried", async () => {
    let decisions = 0;
    let retries = 0;
    const retrying = open(server.url, { metrics: { ...noMetrics, retry: () => (retries += 1) } });
    const outcome = await timed(
      retrying.query(() => {
        decisions += 1;
        return { statement: { text: "SELECT pg_terminate_backend(pg_backend_pid())" } };
      }),
    );
    expect(outcome.code).toBe("STORE_UNAVAILABLE");
    expect(retries).toBeGreaterThan(0);
    expect(decisions).toBe(1);
    await retrying.close();
  });

  test("concurrent serializable transactions all succeed, each run again as needed", async () => {
    await direct.script("CREATE TABLE counters (n int); INSERT INTO counters VALUES (0)");
    let runs = 0;
    const increment = (): Promise<unknown> =>
      database.transaction(
        async (tx) => {
          runs++;
          const [row] = await tx.query({ text: "SELECT n FROM counters" });
          await tx.query({ text: "UPDATE counters SET n = $1" }, [Number(row?.["n"]) + 1]);
        },
        { isolation: "serializable" },
      );
    await Promise.all([increment(), increment(), increment()]);
    expect(await direct.query({ text: "SELECT n FROM counters" })).toEqual([{ n: 3 }]);
    expect(runs).toBeGreaterThan(3);
  });

  test("breaker states are reported", async () => {
    const states: string[] = [];
    const watched = open(proxy.through(server.url), {
      metrics: { ...noMetrics, breaker: (tier, state) => states.push(`${tier} ${state}`) },
    });
    proxy.refuse();
    await timed(watched.query(COUNT, ["x"]));
    expect(states).toEqual(["l3 closed", "l3 open"]);
    proxy.resume();
    await expect
      .poll(() => timed(watched.query(COUNT, ["x"])), { timeout: 5000 })
      .toMatchObject({
        code: undefined,
      });
    expect(states.slice(-2)).toEqual(["l3 half-open", "l3 closed"]);
    await watched.close();
  });

  test("a stopped server is STORE_UNAVAILABLE within a second; a restart is found by itself", async () => {
    await database.write(INSERT, ["before-stop"]);
    await server.stop();
    const write = await timed(database.write(INSERT, ["while-stopped"]));
    expect(write.code).toBe("STORE_UNAVAILABLE");
    expect(write.ms).toBeLessThan(AWAY_MS_MAX);
    await server.start();
    await expect
      .poll(() => timed(database.write(INSERT, ["after-start"])), { timeout: 10_000 })
      .toMatchObject({ code: undefined });
    expect(await count("while-stopped")).toBe(0);
    expect(await count("before-stop")).toBe(1);
  });

  test("an order to shut down ends statements as surely not written", async () => {
    const blocked = database.write({ text: "INSERT INTO marks SELECT 'shut' FROM pg_sleep(30)" });
    const outcome = timed(blocked);
    const backends = {
      text: "SELECT pg_terminate_backend(pid) AS done FROM pg_stat_activity WHERE query LIKE 'INSERT INTO marks SELECT%'",
    };
    // The first is run again on another connection, as it surely did nothing; all tries are ended.
    let ended = false;
    void outcome.then(() => {
      ended = true;
    });
    while (!ended) {
      await direct.query(backends);
      await pause(20);
    }
    expect((await outcome).code).toBe("STORE_UNAVAILABLE");
    expect(await count("shut")).toBe(0);
  });

  test("after close calls are CLOSED, and closing again is fine", async () => {
    const closed = open(server.url);
    await closed.query(COUNT, ["x"]);
    await closed.close();
    await closed.close();
    expect((await timed(closed.query(COUNT, ["x"]))).code).toBe("CLOSED");
  });

  test("a new password in the file is used by the next connection", async () => {
    const folder = temporaryFolder("password");
    const file = join(folder.path, "password");
    const [row] = await direct.query({ text: "SELECT current_setting('hba_file') AS path" });
    const rules = String(row?.["path"]);
    const asking = "host all keeper 127.0.0.1/32 scram-sha-256\n";
    writeFileSync(rules, asking + readFileSync(rules, "utf8"));
    await direct.script("CREATE ROLE keeper LOGIN PASSWORD 'first'; SELECT pg_reload_conf()");
    const url = new URL(server.url);
    url.username = "keeper";
    const kept = open(url.href, { passwordFile: file });
    const who = { text: "SELECT current_user::text AS name" };
    await expect.poll(() => timed(kept.query(who))).toMatchObject({ code: "STORE_UNAVAILABLE" });
    writeFileSync(file, "first\n");
    await expect.poll(() => kept.query(who).catch(() => [])).toEqual([{ name: "keeper" }]);
    await direct.script("ALTER ROLE keeper PASSWORD 'second'");
    writeFileSync(file, "second\n");
    const ended = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'keeper'";
    await direct.script(ended);
    await expect.poll(() => kept.query(who).catch(() => [])).toEqual([{ name: "keeper" }]);
    writeFileSync(file, "wrong\n");
    await direct.script(ended);
    await expect.poll(() => timed(kept.query(who))).toMatchObject({ code: "STORE_UNAVAILABLE" });
    await kept.close();
    folder.remove();
  });

  test("its description names the server and holds no secret", async () => {
    const url = new URL(server.url);
    url.password = "hush-hush";
    const described = open(url.href);
    await described.open();
    expect(described.description).toMatch(/^PostgreSQL 1\d\.\d+ at 127\.0\.0\.1:\d+\/postgres$/);
    await described.close();
  });
});

test("a URL that cannot be read is refused without repeating it", () => {
  expect(() => open("postgres://user:hush-hush@:bad:port/x")).toThrow(
    expect.objectContaining({
      code: "INVALID_CONFIG",
      message: expect.not.stringContaining("hush-hush"),
    }),
  );
});
