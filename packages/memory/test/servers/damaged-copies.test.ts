import { randomUUID } from "node:crypto";
import { startRedis } from "@cherry-ai/services";
import type { RedisServer } from "@cherry-ai/services";
import { describeWithPostgresAndRedis, testDatabase } from "@cherry-ai/services/vitest";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import type { Memory } from "../../src/manager/memory.ts";
import { UnifiedMemoryManager } from "../../src/manager/unified-memory-manager.ts";
import { systemClock, systemRandom } from "../../src/model/clock.ts";
import { RedisTier } from "../../src/tiers/redis/redis-tier.ts";
import { wanted } from "../../src/testing/shared-suite/fixture.ts";
import { serverDatabase } from "../support/databases.ts";

/** Long enough that a slow machine loses no proof in the middle of a test. */
const BOUND_MS = 3000;

const READS: [string, (memory: Memory, key: string) => Promise<unknown>][] = [
  ["get", (memory, key) => memory.get(key)],
  ["getItem", async (memory, key) => (await memory.getItem(key))?.value],
  ["getMany", async (memory, key) => (await memory.getMany([key]))[0]],
  [
    "a batch",
    async (memory, key) => (await memory.batchOperations([{ type: "get", key }]))[0]?.value,
  ],
];

describeWithPostgresAndRedis("a copy in Redis whose body cannot be read", () => {
  let redis: RedisServer;
  let databaseUrl: string;
  let tier: RedisTier;
  const servers: UnifiedMemoryManager[] = [];

  /** Keeps nothing itself: each of its reads goes to Redis first. */
  async function server(): Promise<UnifiedMemoryManager> {
    const memory = new UnifiedMemoryManager({
      maxStalenessMs: BOUND_MS,
      metrics: { enabled: false, prometheusEnabled: false },
      tiers: {
        L0: { enabled: false },
        L1: { enabled: false },
        L2: { enabled: true, url: redis.url, commandTimeoutMs: 1000 },
        L3: { url: databaseUrl, connectionBudget: 8, servers: 1 },
      },
    });
    await memory.initialize();
    servers.push(memory);
    return memory;
  }

  /** The entry stays sound; its body was wrong already when it was made. */
  async function spoil(key: string): Promise<void> {
    const ref = { namespace: "", key };
    const [entry] = await tier.findMany([ref]);
    if (entry === undefined) return expect.unreachable("the copy is not in Redis");
    const body = Uint8Array.from(entry.record.body, (byte) => byte ^ 0xff);
    const { createdAtMs, updatedAtMs, expiresAtMs, deadlineMs, version } = entry.record;
    const times = { createdAtMs, updatedAtMs, expiresAtMs, deadlineMs };
    const record = { ...ref, ...times, version, metadata: {}, tags: [], body };
    const [lease] = await tier.lease([wanted(ref, 0, entry.provenAt)]);
    if (lease === undefined) return expect.unreachable("no lease was granted");
    expect(await tier.fill([{ record, provenAt: entry.provenAt, lease }])).toEqual([true]);
    return undefined;
  }

  beforeAll(async () => {
    redis = await startRedis();
    databaseUrl = await testDatabase();
    await server();
    const database = serverDatabase(databaseUrl);
    const [row] = await database.query({
      text: "SELECT value FROM cherry.meta WHERE name = 'epoch'",
    });
    await database.close();
    tier = new RedisTier({ url: redis.url, clock: systemClock, random: systemRandom });
    tier.useEpoch(String(row?.["value"]));
    await tier.initialize();
  });
  afterEach(async () => {
    for (const memory of servers.splice(0)) await memory.close();
  });
  afterAll(async () => {
    await tier.close();
    await redis.remove();
  });

  test.each(READS)("%s gives the item, and the next reader finds a sound copy", async (_, read) => {
    const key = randomUUID();
    const memory = await server();
    await memory.set(key, "x", { tierHint: "l2" });
    await spoil(key);
    expect(await read(memory, key)).toBe("x");
    const tierOf = async (): Promise<unknown> => (await memory.getItem(key))?.tier;
    await expect.poll(tierOf, { timeout: 10_000 }).toBe("l2");
    expect(await read(memory, key)).toBe("x");
  });

  test("it is taken away once, however many readers meet it", async () => {
    const key = randomUUID();
    const memory = await server();
    await memory.set(key, "x", { tierHint: "l2" });
    await spoil(key);
    await Promise.all(Array.from({ length: 20 }, () => memory.get(key)));
    await expect
      .poll(async () => (await memory.getItem(key))?.tier, { timeout: 10_000 })
      .toBe("l2");
    const calls = async (): Promise<number> => {
      const stats = String(await redis.command("INFO", "commandstats"));
      return Number(/cmdstat_evalsha:calls=(\d+)/.exec(stats)?.[1] ?? 0);
    };
    const before = await calls();
    for (let reads = 0; reads < 10; reads += 1) expect(await memory.get(key)).toBe("x");
    expect(await calls()).toBe(before);
  });
});
