import { afterEach, expect, test } from "vitest";
import { startRedisCluster, startRedisSentinel } from "@cherry-ai/services";
import type { RedisCluster, RedisSentinel } from "@cherry-ai/services";
import { describeWithRedisTls } from "@cherry-ai/services/vitest";
import type { RedisTier } from "../../src/tiers/redis/redis-tier.ts";
import { fillAt, refOf, settleAt, versionAt } from "../../src/testing/shared-suite/fixture.ts";
import { closeTiers, openTier } from "./support.ts";

const LONG = { timeout: 60_000 };
const SOON = { timeout: 20_000 };
const HASTY = { commandTimeoutMs: 1000, connectTimeoutMs: 1000, startTimeoutMs: 20_000 };

/** Keys all over, a failover, keys again; the bus is heard. */
async function worksOver(tier: RedisTier, failOver: () => Promise<unknown>): Promise<void> {
  await expect.poll(() => tier.health(), LONG).toMatchObject({ status: "ready" });
  const refs = Array.from({ length: 30 }, (_, index) => refOf(`key-${index}`));
  for (const at of refs) expect(await fillAt(tier, at, 5)).toBe(true);
  expect(await Promise.all(refs.map((at) => versionAt(tier, at)))).toEqual(refs.map(() => 5));
  const heard: number[] = [];
  tier.onMessage((message) => message.kind === "change" && heard.push(message.version));
  await settleAt(tier, refOf("told"), 7);
  await expect.poll(() => heard, LONG).toContain(7);
  await failOver();
  for (const [index, at] of refs.entries())
    await expect
      .poll(async () => {
        await settleAt(tier, at, 100 + index).catch(() => undefined);
        return fillAt(tier, at, 100 + index).catch(() => false);
      }, LONG)
      .toBe(true);
  await expect.poll(() => tier.health(), LONG).toMatchObject({ status: "ready" });
}

describeWithRedisTls("TLS", () => {
  let servers: RedisCluster | RedisSentinel | undefined;
  afterEach(async () => {
    await closeTiers();
    await servers?.remove();
    servers = undefined;
  });

  test(
    "to a cluster: every node, the bus, and the node that takes over",
    { timeout: 120_000 },
    async () => {
      const cluster = await startRedisCluster({ tls: true });
      servers = cluster;
      const tier = await openTier(cluster.url, HASTY);
      await worksOver(tier, async () => cluster.failOver(await cluster.masterOf("a")));
    },
  );

  test(
    "to a cluster whose authority is not known is refused, and says why",
    { timeout: 120_000 },
    async () => {
      const cluster = await startRedisCluster({ tls: true });
      servers = cluster;
      const tier = await openTier(cluster.url.split("?")[0] ?? "", HASTY);
      await expect.poll(() => tier.health().reason, SOON).toMatch(/TLS fails.*certificate/);
    },
  );

  test(
    "to sentinels, to the master that they name, and to the next one",
    { timeout: 120_000 },
    async () => {
      const sentinel = await startRedisSentinel({ tls: true });
      servers = sentinel;
      await worksOver(await openTier(sentinel.url, HASTY), () => sentinel.failOver());
    },
  );

  test("sentinels that want TLS and are spoken to without", { timeout: 120_000 }, async () => {
    const sentinel = await startRedisSentinel({ tls: true });
    servers = sentinel;
    const tier = await openTier(
      (sentinel.url.split("?")[0] ?? "").replace("rediss", "redis"),
      HASTY,
    );
    await expect.poll(() => tier.health().reason, SOON).toMatch(/speaks TLS and the URL does not/);
  });

  test(
    "to sentinels whose authority is not known is refused, and says why",
    { timeout: 120_000 },
    async () => {
      const sentinel = await startRedisSentinel({ tls: true });
      servers = sentinel;
      const tier = await openTier(sentinel.url.split("?")[0] ?? "", HASTY);
      await expect.poll(() => tier.health().reason, SOON).toMatch(/TLS fails.*certificate/);
    },
  );
});
