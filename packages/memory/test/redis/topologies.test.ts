import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { startRedisCluster, startRedisSentinel } from "@cherry-ai/services";
import type { RedisCluster, RedisSentinel } from "@cherry-ai/services";
import { describeWithRedis } from "@cherry-ai/services/vitest";
import type { ItemRef } from "../../src/model/item.ts";
import type { RedisTier } from "../../src/tiers/redis/redis-tier.ts";
import {
  copyOf,
  fillAt,
  recordOf,
  refOf,
  settleAt,
  versionAt,
  wanted,
} from "../../src/testing/shared-suite/fixture.ts";
import { closeTiers, openTier } from "./support.ts";

const LONG = { timeout: 60_000 };

/** As in production: a server that is gone must not be waited for. */
const HASTY = { commandTimeoutMs: 1000, connectTimeoutMs: 1000, startTimeoutMs: 20_000 };

function answersAgain(tier: RedisTier, at: ItemRef): Promise<void> {
  let version = 1_000;
  return expect
    .poll(async () => {
      version += 1;
      await settleAt(tier, at, version).catch(() => undefined);
      return fillAt(tier, at, version).catch(() => false);
    }, LONG)
    .toBe(true);
}

/** Reads and writes keys all over until stopped; remembers the newest version that was settled. */
class Traffic {
  readonly settled = new Map<string, number>();
  answered = 0;
  failed = 0;
  isOn = true;
  readonly #loops: Promise<void>[];

  constructor(tier: RedisTier, refs: readonly ItemRef[]) {
    this.#loops = refs.map((at) => this.#run(tier, at));
  }

  async stop(): Promise<void> {
    this.isOn = false;
    await Promise.all(this.#loops);
  }

  async #run(tier: RedisTier, at: ItemRef): Promise<void> {
    for (let version = 1; this.isOn; version += 1) {
      try {
        await settleAt(tier, at, version, version % 2 === 0 ? copyOf(at, version) : undefined);
        this.settled.set(at.key, version);
        await fillAt(tier, at, version);
        this.answered += 1;
      } catch {
        this.failed += 1;
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    }
  }
}

describeWithRedis("a cluster", () => {
  let cluster: RedisCluster;
  beforeAll(async () => {
    cluster = await startRedisCluster();
  });
  afterEach(closeTiers);
  afterAll(() => cluster.remove());

  const refs = Array.from({ length: 60 }, (_, index) => refOf(`key-${index}`));

  test("serves keys of all slots in one call, in order", async () => {
    const tier = await openTier(cluster.url);
    const leases = await tier.lease(refs.map((at) => wanted(at)));
    const copies = refs.map((at, index) => ({
      ...copyOf(at, index + 1),
      lease: leases[index] ?? "",
    }));
    expect(await tier.fill(copies)).toEqual(refs.map(() => true));
    const found = await tier.findMany(refs);
    expect(found.map((entry) => entry?.record.key)).toEqual(refs.map(({ key }) => key));
    const changes = refs.map((at) => ({ ...at, version: 100, copy: copyOf(at, 100) }));
    expect(await tier.settle(changes)).toEqual(refs.map(() => "stored"));
    expect((await tier.findMany(refs)).map((entry) => entry?.record.version)).toEqual(
      refs.map(() => 100),
    );
  });

  test("the bus reaches a server that listens at another node", async () => {
    const sender = await openTier(cluster.url, { epoch: "bus" });
    const listeners = await Promise.all(
      [1, 2, 3].map(() => openTier(cluster.url, { epoch: "bus" })),
    );
    const heard = listeners.map((tier) => {
      const versions: number[] = [];
      tier.onMessage((message) => message.kind === "change" && versions.push(message.version));
      return versions;
    });
    for (const tier of listeners) await expect.poll(() => tier.health().status, LONG).toBe("ready");
    await settleAt(sender, refOf("told"), 7);
    await expect.poll(() => heard, LONG).toEqual([[7], [7], [7]]);
  });

  test("ephemeral items of all nodes are removed by pattern", async () => {
    const tier = await openTier(cluster.url);
    const put = (at: ItemRef): Promise<unknown> =>
      tier.putEphemeral({
        record: recordOf(at, 0),
        ttlMs: 60_000,
        provenAt: 1,
        baseVersion: 0,
        condition: undefined,
      });
    await Promise.all(refs.map(put));
    const scope = { namespace: "acme", below: true };
    expect(await tier.removeEphemeralWhere(scope, ({ key }) => key !== "key-7")).toBe(59);
    expect((await tier.findMany(refs)).filter((entry) => entry !== undefined)).toHaveLength(1);
  });

  test("a failover under traffic: most goes on, nothing older than what was settled is left", async () => {
    const tier = await openTier(cluster.url, { ...HASTY, prefix: "cherry", epoch: "failover" });
    await expect.poll(() => tier.health().status, LONG).toBe("ready");
    const traffic = new Traffic(tier, refs);
    await expect.poll(() => traffic.answered, LONG).toBeGreaterThan(300);
    const [master] = await cluster.masters();
    if (master === undefined) throw new Error("no master");
    await cluster.failOver(master);
    const before = traffic.answered;
    await expect.poll(() => traffic.answered - before, LONG).toBeGreaterThan(300);
    await traffic.stop();
    await answersAgain(tier, refOf("after"));
    for (const at of refs) {
      const version = (traffic.settled.get(at.key) ?? 0) + 1;
      await settleAt(tier, at, version, copyOf(at, version));
      const left = await versionAt(tier, at);
      // Newer: of a write whose answer did not come.
      expect(left === undefined || left >= version).toBe(true);
    }
    const others = await openTier(cluster.url, { epoch: "failover" });
    await expect.poll(() => others.health().status, LONG).toBe("ready");
  });
});

describeWithRedis("sentinels", () => {
  let sentinel: RedisSentinel;
  beforeAll(async () => {
    sentinel = await startRedisSentinel();
  });
  afterEach(closeTiers);
  afterAll(() => sentinel.remove());

  test("the tier follows them to the new master, and the bus too", async () => {
    const tier = await openTier(sentinel.url, HASTY);
    await expect.poll(() => tier.health().status, LONG).toBe("ready");
    await fillAt(tier, refOf("a"), 5);
    const next = await sentinel.failOver();
    await answersAgain(tier, refOf("b"));
    expect(String(await next.command("INFO", "commandstats"))).toContain("cmdstat_evalsha");
    await expect.poll(() => tier.health().status, LONG).toBe("ready");
    const heard: unknown[] = [];
    tier.onMessage((message) => heard.push(message));
    await settleAt(tier, refOf("c"), 9);
    await expect
      .poll(() => heard, LONG)
      .toContainEqual({ kind: "change", ref: refOf("c"), version: 9 });
  });

  test("sentinels that cannot be reached are named, and are no reason to fail", async () => {
    const tier = await openTier("redis-sentinel://127.0.0.1:1/cherry", { startTimeoutMs: 500 });
    expect(tier.health()).toMatchObject({ status: "degraded" });
    await expect.poll(() => tier.health().reason, LONG).toMatch(/cannot be reached.*sentinels/);
  });
});
