import { startProxy, startRedis } from "@cherry-ai/services";
import type { Proxy, RedisServer } from "@cherry-ai/services";
import { describeWithPostgresAndRedis, testDatabase } from "@cherry-ai/services/vitest";
import { afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import {
  errorsOf,
  expectNamed,
  expectPromisesKept,
  expectSound,
  receiptTiers,
  serve,
  stateOf,
} from "./degraded.ts";
import type { Call } from "./degraded.ts";
import { freshNamespace, itemPath } from "./server.ts";

/** Above the time that a command has. */
const TOO_SLOW_MS = 300;
const SLOW_MS = 30;

interface Fault {
  readonly name: string;
  readonly begin: (at: Rig) => Promise<void> | void;
  readonly end: (at: Rig) => Promise<void> | void;
  readonly reason: RegExp;
  /** As the metrics name it. */
  readonly code: RegExp;
  /** Whether ephemeral items read as absent meanwhile, and cannot be set. */
  readonly hidesEphemerals: boolean;
  readonly receipt: readonly string[];
}

interface Rig {
  readonly redis: RedisServer;
  readonly proxy: Proxy;
  readonly other: RedisServer;
}

const FAULTS: readonly Fault[] = [
  {
    name: "gone",
    begin: ({ redis }) => redis.kill(),
    end: ({ redis }) => redis.start(),
    reason: /cannot be reached/,
    code: /UNREACHABLE/,
    hidesEphemerals: true,
    receipt: ["failed"],
  },
  {
    name: "hanging",
    begin: ({ redis }) => redis.pause(),
    end: ({ redis }) => redis.resume(),
    reason: /did not answer|cannot be reached|being connected/,
    code: /TIMEOUT|UNREACHABLE/,
    hidesEphemerals: true,
    receipt: ["failed"],
  },
  {
    name: "slower than a command may be",
    begin: ({ proxy }) => {
      proxy.delay = () => TOO_SLOW_MS;
    },
    end: ({ proxy }) => {
      proxy.delay = undefined;
    },
    reason: /did not answer|cannot be reached|being connected/,
    code: /TIMEOUT|UNREACHABLE/,
    hidesEphemerals: true,
    receipt: ["failed"],
  },
  {
    name: "read-only",
    begin: async ({ redis, other }) => {
      await redis.command("REPLICAOF", "127.0.0.1", other.port);
    },
    end: async ({ redis }) => {
      await redis.command("REPLICAOF", "NO", "ONE");
    },
    reason: /read-only replica; point REDIS_URL at the master/,
    code: /READONLY/,
    hidesEphemerals: true,
    receipt: ["failed"],
  },
  {
    name: "full",
    begin: async ({ redis }) => {
      await redis.command("CONFIG", "SET", "maxmemory-policy", "noeviction");
      await redis.command("CONFIG", "SET", "maxmemory", "1");
    },
    end: async ({ redis }) => {
      await redis.command("CONFIG", "SET", "maxmemory", "0");
    },
    reason: /its memory is full \(maxmemory\)/,
    code: /OOM/,
    // What is there can be read, nothing can be added.
    hidesEphemerals: false,
    receipt: ["skipped", "failed"],
  },
];

describeWithPostgresAndRedis("two servers whose Redis is in trouble", () => {
  let rig: Rig;
  let database: string;
  let a: Call;
  let b: Call;

  beforeAll(async () => {
    database = await testDatabase();
  });
  beforeEach(async () => {
    const redis = await startRedis();
    const other = await startRedis();
    rig = { redis, other, proxy: await startProxy({ target: redis.port }) };
    const env = { DATABASE_URL: database, REDIS_URL: rig.proxy.through(redis.url) };
    a = await serve(env);
    b = await serve(env);
  });
  afterEach(async () => {
    await rig.proxy.close();
    await rig.redis.remove();
    await rig.other.remove();
  });

  /** Until it shows, as a client would make it show. */
  async function provoke(call: Call): Promise<void> {
    await expect
      .poll(
        async () => {
          await call("PUT", itemPath(freshNamespace(), "k"), { value: 1, tierHint: "l2" });
          return (await stateOf(call, "l2"))?.status;
        },
        { timeout: 20_000 },
      )
      .toBe("degraded");
  }

  test.each(FAULTS)("$name: slower, still right, named, and over by itself", async (fault) => {
    await expectSound(a);
    const ns = freshNamespace();
    const vanishing = itemPath(ns, "e");
    const ephemeral = { value: 1, durability: "ephemeral", ttlSeconds: 300 };
    expect((await a("PUT", vanishing, ephemeral)).status).toBe(200);
    expect((await b("GET", vanishing)).status).toBe(200);

    await fault.begin(rig);
    try {
      await Promise.all([provoke(a), provoke(b)]);
      await expectNamed(a, "l2", fault.reason);
      await expectPromisesKept(a, b);
      const receipt = receiptTiers(await b("PUT", itemPath(ns, "k"), { value: 1 }));
      expect(fault.receipt).toContain(receipt["l2"]);
      const hinted = await a("PUT", itemPath(ns, "h"), { value: 1, tierHint: "l2" });
      expect(receiptTiers(hinted)["l3"]).toBe("stored");
      expect(fault.receipt).toContain(receiptTiers(hinted)["l2"]);
      const set = await a("PUT", vanishing, ephemeral);
      expect(set.status).toBe(503);
      // It may be the one by which the breaker tries whether Redis is back; a refusal is an answer.
      const unknown = fault.hidesEphemerals ? ["OUTCOME_UNKNOWN"] : [];
      expect(["STORE_UNAVAILABLE", ...unknown]).toContain(set.json?.["code"]);
      expect((await b("GET", vanishing)).status).toBe(fault.hidesEphemerals ? 404 : 200);
      const codes = fault.code.source.split("|");
      const counts = await Promise.all(codes.map((code) => errorsOf(a, "l2", code)));
      expect(Math.max(...counts)).toBeGreaterThan(0);
    } finally {
      await fault.end(rig);
    }
    await expectSound(a);
    await expectSound(b);
    await expectPromisesKept(b, a);
    expect((await a("PUT", vanishing, { ...ephemeral, value: 2 })).status).toBe(200);
    expect((await b("GET", vanishing)).json?.["value"]).toBe(2);
  });

  test("slow within its time: nothing is degraded, and all is right", async () => {
    rig.proxy.delay = () => SLOW_MS;
    await expectPromisesKept(a, b);
    const hinted = await a("PUT", itemPath(freshNamespace(), "k"), { value: 1, tierHint: "l2" });
    expect(receiptTiers(hinted)).toMatchObject({ l2: "stored", l3: "stored" });
    expect((await a("GET", "/health")).status).toBe(200);
  });

  test("flapping: right at every moment, and in use again when it stays", async () => {
    for (let round = 0; round < 4; round += 1) {
      rig.proxy.refuse();
      const path = itemPath(freshNamespace(), "k");
      for (const value of [1, 2, 3]) {
        expect((await a("PUT", path, { value })).status).toBe(200);
        if (value === 2) rig.proxy.resume();
        const read = await b("GET", `${path}?consistency=latest`);
        expect([read.status, read.json?.["value"]]).toEqual([200, value]);
      }
    }
    await expectSound(a);
    await expectSound(b);
    await expectPromisesKept(a, b);
    const { text } = await a("GET", "/metrics");
    expect(/^cherry_breaker_state\{tier="l2"\} [12]/m.exec(text)).toBeNull();
  });

  test("explain tells which version lies where, and what is thought of it", async () => {
    const ns = freshNamespace();
    const explain = async (call: Call): Promise<readonly Record<string, unknown>[]> => {
      const answer = await call("GET", `/v1/namespaces/${ns}/explain/k`);
      expect(answer.status).toBe(200);
      return answer.json?.["tiers"] as readonly Record<string, unknown>[];
    };
    const written = await a("PUT", itemPath(ns, "k"), { value: 1, tierHint: "l2" });
    const version = written.json?.["version"];
    const lineOf = (tier: string) => async () =>
      (await explain(b)).find((line) => line["tier"] === tier);
    const shared = lineOf("l2");
    await expect.poll(shared, { timeout: 10_000 }).toMatchObject({
      present: true,
      version,
      reason: expect.stringContaining("proven by the change log"),
    });
    expect(await lineOf("l1")()).toMatchObject({ present: false });
    expect(await lineOf("l3")()).toMatchObject({ present: true, version });
    await b("GET", itemPath(ns, "k"));
    expect(await lineOf("l1")()).toMatchObject({ present: true, version });
    const names = await rig.redis.command("KEYS", `*${ns}*`);
    const [name] = Array.isArray(names) ? names.map(String) : [];
    await rig.redis.command("COPY", name ?? "", "kept");
    await a("PUT", itemPath(ns, "k"), { value: 2, tierHint: "l3" });
    await a("GET", `${itemPath(ns, "k")}?consistency=latest`);
    await expect.poll(lineOf("l1"), { timeout: 10_000 }).toMatchObject({ present: false });
    await rig.redis.command("COPY", "kept", name ?? "", "REPLACE");
    expect(await shared()).toMatchObject({ present: true, version });
    expect(String((await shared())?.["reason"])).toMatch(/older than a change in the log/);
    rig.redis.pause();
    await expect
      .poll(async () => String((await shared())?.["reason"]), { timeout: 10_000 })
      .toMatch(/cannot tell: STORE_UNAVAILABLE/);
    rig.redis.resume();
  });
});
