import { startPostgres, startProxy, startRedis } from "@cherry-ai/services";
import type { PostgresServer, Proxy, RedisServer } from "@cherry-ai/services";
import { describeWithPostgresAndRedis } from "@cherry-ai/services/vitest";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  SETTLE,
  errorsOf,
  expectNamed,
  expectPromisesKept,
  expectSound,
  serve,
} from "./degraded.ts";
import type { Call } from "./degraded.ts";
import { freshNamespace, itemPath, nsPath } from "./server.ts";
import type { Answer } from "./server.ts";

/** For reads of an operator who prefers an old answer to none. */
const PATIENT = "?consistency=any&maxStalenessMs=3600000";
const TOO_SLOW_MS = 5_000;

interface Rig {
  readonly postgres: PostgresServer;
  readonly proxy: Proxy;
}

interface Fault {
  readonly name: string;
  readonly begin: (at: Rig) => Promise<void> | void;
  readonly end: (at: Rig) => Promise<void> | void;
  /** What a write says: surely not written, or not known. */
  readonly codes: readonly string[];
}

const UNSENT = ["STORE_UNAVAILABLE"];
/** What was sent over a connection that still stands may yet be carried out. */
const SENT = ["STORE_UNAVAILABLE", "OUTCOME_UNKNOWN"];

const FAULTS: readonly Fault[] = [
  {
    name: "gone",
    begin: ({ postgres }) => postgres.stop(),
    end: ({ postgres }) => postgres.start(),
    codes: UNSENT,
  },
  {
    name: "unreachable",
    begin: ({ proxy }) => proxy.refuse(),
    end: ({ proxy }) => proxy.resume(),
    codes: UNSENT,
  },
  {
    name: "frozen",
    begin: ({ proxy }) => proxy.stall(),
    end: ({ proxy }) => proxy.resume(),
    codes: SENT,
  },
  {
    name: "far too slow",
    begin: ({ proxy }) => {
      proxy.delay = () => TOO_SLOW_MS;
    },
    end: ({ proxy }) => {
      proxy.delay = undefined;
    },
    codes: SENT,
  },
];

function codeOf(answer: Answer): unknown {
  return answer.json?.["code"];
}

describeWithPostgresAndRedis("two servers whose PostgreSQL is in trouble", () => {
  let rig: Rig;
  let redis: RedisServer;

  beforeAll(async () => {
    const postgres = await startPostgres({ settings: { fsync: "off" } });
    rig = { postgres, proxy: await startProxy({ target: postgres.port }) };
    redis = await startRedis();
  });
  afterAll(async () => {
    await rig?.proxy.close();
    await rig?.postgres.remove();
    await redis?.remove();
  });

  async function twoServers(name: string): Promise<readonly [Call, Call]> {
    const url = rig.proxy.through(await rig.postgres.databaseUrl(name));
    const env = { DATABASE_URL: url, REDIS_URL: redis.url };
    return [await serve(env), await serve(env)];
  }

  function writes(call: Call, ns: string): readonly Promise<Answer>[] {
    const path = itemPath(ns, "k");
    const operations = [{ type: "set", key: "k", value: 2 }];
    return [
      call("PUT", path, { value: 2 }),
      call("PATCH", path, { n: 2 }),
      call("DELETE", path),
      call("POST", nsPath(ns, "batch"), { operations, atomic: true }),
      // Elsewhere, because a forget that fails lets go of its namespace's copies.
      call("POST", nsPath(freshNamespace(), "forget"), { keys: ["k"] }),
    ];
  }

  test.each(FAULTS)(
    "$name: writes refused in time, copies until their deadline, then only for the patient",
    async ({ name, begin, end, codes }) => {
      const [a, b] = await twoServers(name.replaceAll(" ", "_"));
      await expectPromisesKept(a, b);
      const ns = freshNamespace();
      const copied = itemPath(ns, "copied");
      const version = (await a("PUT", copied, { value: { n: 1 } })).json?.["version"];
      const vanishing = itemPath(ns, "vanishing");
      await a("PUT", vanishing, { value: 1, durability: "ephemeral", ttlSeconds: 300 });
      await expect
        .poll(async () => (await a("GET", copied)).headers.get("x-cherry-tier"), SETTLE)
        .toMatch(/l[01]/);

      await begin(rig);
      try {
        for (const answer of await Promise.all(writes(a, ns))) {
          expect(answer.status).toBe(503);
          expect(codes).toContain(codeOf(answer));
        }
        await expectNamed(a, "l3", /./);
        // What is known to be away is not asked: surely not written.
        await expect
          .poll(async () => codeOf(await a("PUT", itemPath(ns, "k"), { value: 2 })), SETTLE)
          .toBe("STORE_UNAVAILABLE");
        await expect
          .poll(async () => codeOf(await a("GET", copied)), SETTLE)
          .toBe("STORE_UNAVAILABLE");
        const latest = await a("GET", `${copied}?consistency=latest`);
        expect([latest.status, codeOf(latest)]).toEqual([503, "STORE_UNAVAILABLE"]);
        const patient = await a("GET", copied + PATIENT);
        expect([patient.status, patient.json?.["value"]]).toEqual([200, { n: 1 }]);
        expect(patient.json?.["version"]).toBe(version);
        expect(patient.headers.get("x-cherry-degraded")).toBe("l3");
        const ageMs = Number(patient.headers.get("x-cherry-age-ms"));
        expect(ageMs).toBeGreaterThan(1000);
        // One bound that is shorter than its age, one that is longer.
        expect((await a("GET", `${copied}?maxStalenessMs=${ageMs - 500}`)).status).toBe(503);
        const searched = await a("POST", nsPath(ns, "search"), { pattern: "*" });
        expect([searched.status, codeOf(searched)]).toEqual([503, "STORE_UNAVAILABLE"]);
        const absent = await a("GET", itemPath(ns, "none") + PATIENT);
        expect([absent.status, codeOf(absent)]).toEqual([503, "STORE_UNAVAILABLE"]);
        for (const path of ["/livez", "/readyz", "/metrics"])
          expect((await b("GET", path)).status).toBe(200);
        expect(await errorsOf(a, "l3", "STORE_UNAVAILABLE")).toBeGreaterThan(0);
      } finally {
        await end(rig);
      }
      await expect
        .poll(async () => (await a("PUT", copied, { value: { n: 3 } })).status, SETTLE)
        .toBe(200);
      await expect
        .poll(async () => (await b("PUT", itemPath(ns, "b"), { value: 1 })).status, SETTLE)
        .toBe(200);
      await expectSound(a);
      await expectSound(b);
      await expectPromisesKept(a, b);
      const back = await b("GET", copied);
      expect([back.json?.["value"], back.headers.has("x-cherry-degraded")]).toEqual([
        { n: 3 },
        false,
      ]);
    },
  );

  test("restarting: every answer in time, what was acknowledged is there afterwards", async () => {
    const [a, b] = await twoServers("restarting");
    const ns = freshNamespace();
    const acknowledged = new Map<string, number>();
    let isBack = false;
    const restarted = rig.postgres.restart().then(() => (isBack = true));
    for (let count = 0; !isBack || count < 20; count += 1) {
      const key = `k${count}`;
      const answer = await a("PUT", itemPath(ns, key), { value: count });
      if (answer.status === 200) acknowledged.set(key, count);
      else {
        expect(answer.status).toBe(503);
        expect(["STORE_UNAVAILABLE", "OUTCOME_UNKNOWN"]).toContain(codeOf(answer));
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    await restarted;
    await expect
      .poll(async () => (await a("PUT", itemPath(ns, "last"), { value: 0 })).status, SETTLE)
      .toBe(200);
    acknowledged.set("last", 0);
    await expect.poll(async () => (await b("GET", itemPath(ns, "last"))).status, SETTLE).toBe(200);
    for (const [key, value] of acknowledged)
      expect((await b("GET", itemPath(ns, key))).json?.["value"]).toBe(value);
    await expectSound(a);
    await expectSound(b);
  });
});
