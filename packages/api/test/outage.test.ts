import { UnifiedMemoryManager, loadConfig, systemClock } from "@cherry-ai/memory";
import { startPostgres } from "@cherry-ai/services";
import type { PostgresServer } from "@cherry-ai/services";
import { describeWithPostgres } from "@cherry-ai/services/vitest";
import { afterAll, beforeAll, expect, test } from "vitest";
import { freshNamespace, itemPath, nsPath, startServer } from "./server.ts";
import type { Answer, TestServer } from "./server.ts";

/** The contract's second, and another for a machine that is busy with other tests. */
const ANSWER_MS_MAX = 2_000;
const SETTLE = { timeout: 20_000 };
const TIMEOUT_MS = 120_000;
/** For reads of an operator who prefers an old answer to none. */
const PATIENT = "?maxStalenessMs=3600000";

async function serve(url: string): Promise<TestServer> {
  const memory = new UnifiedMemoryManager(loadConfig({ DATABASE_URL: url }));
  return startServer({ memory });
}

function outcome({ status, json }: Answer): readonly unknown[] {
  return [status, json?.["code"], json?.["retryable"]];
}

const AWAY = [503, "STORE_UNAVAILABLE", true];

/** Each kind of write. */
function writes({ call }: TestServer, ns: string): readonly (() => Promise<Answer>)[] {
  const path = itemPath(ns, "k");
  const operations = [{ type: "set", key: "k", value: 2 }];
  return [
    () => call("PUT", path, { value: 2 }),
    () => call("PATCH", path, { n: 2 }),
    () => call("DELETE", path),
    () => call("POST", nsPath(ns, "batch"), { operations, atomic: true }),
    // Elsewhere, because a forget that fails lets go of its namespace's copies.
    () => call("POST", nsPath(freshNamespace(), "forget"), { keys: ["k"] }),
  ];
}

async function expectRefusedSoon(write: () => Promise<Answer>): Promise<void> {
  const startedMs = systemClock.monotonicMs();
  const answer = await write();
  expect(outcome(answer)).toEqual(AWAY);
  expect(answer.headers.get("retry-after")).toBe("1");
  expect(systemClock.monotonicMs() - startedMs).toBeLessThan(ANSWER_MS_MAX);
}

async function expectDegraded({ call }: TestServer, path: string): Promise<number> {
  await expect
    .poll(async () => (await call("GET", path + PATIENT)).headers.get("x-cherry-degraded"), SETTLE)
    .toBe("l3");
  const copy = await call("GET", path + PATIENT);
  expect([copy.status, copy.json?.["value"]]).toEqual([200, { n: 1 }]);
  const ageMs = copy.headers.get("x-cherry-age-ms");
  expect(ageMs).toMatch(/^\d+$/);
  return Number(ageMs);
}

describeWithPostgres("a server whose PostgreSQL is away", () => {
  let postgres: PostgresServer;
  beforeAll(async () => {
    postgres = await startPostgres();
  }, TIMEOUT_MS);
  afterAll(() => postgres?.remove());

  test.each(["stop", "kill"] as const)(
    "by %s: marks its copies, refuses writes within a second, stays ready, and comes back",
    async (how) => {
      const server = await serve(await postgres.databaseUrl(`away_${how}`));
      const { call } = server;
      const ns = freshNamespace();
      const path = itemPath(ns, "k");
      await call("PUT", path, { value: { n: 1 } });
      const sound = await call("GET", path);
      expect([sound.status, sound.headers.has("x-cherry-degraded")]).toEqual([200, false]);
      expect((await call("GET", "/health")).status).toBe(200);

      await postgres[how]();
      for (const write of writes(server, ns)) await expectRefusedSoon(write);
      const ageMs = await expectDegraded(server, path);
      // Without the operator's word a copy is served until its deadline only, then nothing is.
      await expect.poll(async () => outcome(await call("GET", path)), SETTLE).toEqual(AWAY);
      expect(outcome(await call("GET", `${path}?consistency=latest`))).toEqual(AWAY);
      expect(await expectDegraded(server, path)).toBeGreaterThanOrEqual(ageMs);

      const [live, ready, health] = await Promise.all([
        call("GET", "/livez"),
        call("GET", "/readyz"),
        call("GET", "/health"),
      ]);
      expect([live.status, ready.status, health.status]).toEqual([200, 200, 503]);
      for (const { json } of [ready, health]) expect(json).toMatchObject({ status: "degraded" });
      const tiers = health.json?.["tiers"];
      expect(tiers).toContainEqual(expect.objectContaining({ tier: "l3", status: "degraded" }));

      await postgres.start();
      await expect
        .poll(async () => (await call("PUT", path, { value: { n: 3 } })).status, SETTLE)
        .toBe(200);
      await expect.poll(async () => (await call("GET", "/health")).status, SETTLE).toBe(200);
      const back = await call("GET", path);
      expect([back.json?.["value"], back.headers.has("x-cherry-degraded")]).toEqual([
        { n: 3 },
        false,
      ]);
    },
    TIMEOUT_MS,
  );
});
