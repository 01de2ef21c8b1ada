import { randomUUID } from "node:crypto";
import { startRedis } from "@cherry-ai/services";
import type { RedisServer } from "@cherry-ai/services";
import { describeWithPostgresAndRedis, testDatabase } from "@cherry-ai/services/vitest";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import type { Memory } from "../../src/manager/memory.ts";
import { UnifiedMemoryManager } from "../../src/manager/unified-memory-manager.ts";

/** Long enough that a slow machine loses no proof in the middle of a test. */
const BOUND_MS = 3000;

async function eventually(what: () => Promise<boolean> | boolean): Promise<void> {
  for (let tries = 0; tries < 500; tries += 1) {
    if (await what()) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  expect.unreachable("it did not come true");
}

describeWithPostgresAndRedis("servers that share a PostgreSQL and a Redis", () => {
  let redis: RedisServer;
  let databaseUrl: string;
  const servers: UnifiedMemoryManager[] = [];
  let a: UnifiedMemoryManager;
  let b: UnifiedMemoryManager;

  async function server(
    more: { readonly bus?: boolean } = {},
    keepsCopies = true,
  ): Promise<UnifiedMemoryManager> {
    const memory = new UnifiedMemoryManager({
      maxStalenessMs: BOUND_MS,
      metrics: { enabled: false, prometheusEnabled: false },
      tiers: {
        L0: { enabled: keepsCopies },
        L1: { enabled: keepsCopies },
        L2: { enabled: true, url: redis.url, commandTimeoutMs: 1000, ...more },
        L3: { url: databaseUrl, connectionBudget: 8, servers: 1 },
      },
    });
    await memory.initialize();
    servers.push(memory);
    return memory;
  }

  const tierOf = async (memory: UnifiedMemoryManager, key: string): Promise<string | undefined> =>
    (await memory.getItem(key))?.tier;

  /** The one key in Redis whose name contains this. */
  async function nameInRedis(part: string): Promise<string> {
    const names = await redis.command("KEYS", `*${part}*`);
    const [name] = Array.isArray(names) ? names.map(String) : [];
    return name ?? expect.unreachable(`nothing in Redis is named ${part}`);
  }

  beforeAll(async () => {
    redis = await startRedis();
    databaseUrl = await testDatabase();
  });
  afterAll(async () => {
    await redis?.remove();
  });
  beforeEach(async () => {
    a = await server();
    b = await server();
  });
  afterEach(async () => {
    for (const memory of servers.splice(0)) await memory.close();
  });

  test("what one read, the other finds in Redis; what one writes, the other sees", async () => {
    const key = randomUUID();
    await a.set(key, 1, { tierHint: "l3" });
    expect(await tierOf(a, key)).toBe("l3");
    await eventually(async () => (await b.explain(key)).tiers[2]?.present === true);
    expect(await tierOf(b, key)).toBe("l2");
    expect(await tierOf(b, key)).toBe("l1");
    await a.set(key, 2);
    await eventually(async () => (await b.get(key)) === 2);
  });

  test("a hint puts the copy into Redis before the receipt says so", async () => {
    const key = randomUUID();
    const receipt = await a.set(key, "x", { tierHint: "l2" });
    expect(receipt.tiers).toMatchObject({ l1: "skipped", l2: "stored", l3: "stored" });
    expect(await tierOf(b, key)).toBe("l2");
    // The copy of before is there, so no lease is: it is replaced, and that is waited for too.
    expect((await b.set(key, "y", { tierHint: "l2" })).tiers).toMatchObject({ l2: "stored" });
  });

  test("a deleted item leaves Redis, and nobody finds it there", async () => {
    const key = randomUUID();
    await a.set(key, "x", { tierHint: "l2" });
    expect(await b.get(key)).toBe("x");
    await a.delete(key);
    await eventually(async () => (await b.get(key)) === undefined);
    expect(await a.get(key)).toBeUndefined();
    expect((await a.explain(key)).tiers.some(({ present }) => present)).toBe(false);
  });

  test("a clear ends what lies in Redis, without touching it", async () => {
    const memory = a.namespace("cleared");
    await memory.set("k", 1, { tierHint: "l2" });
    await memory.clear();
    const explained = await memory.explain("k");
    expect(explained.tiers.find(({ tier }) => tier === "l2")).toMatchObject({
      reason: expect.stringContaining("older than a change in the log") as unknown,
    });
    expect(await memory.get("k")).toBeUndefined();
    await eventually(async () => (await b.namespace("cleared").get("k")) === undefined);
  });

  test("a Redis that comes back with an old state is not believed", async () => {
    const key = randomUUID();
    await a.set(key, "old", { tierHint: "l2" });
    const text = await redis.command("KEYS", "*");
    const names = Array.isArray(text) ? text.map(String) : [];
    const name = names.find((one) => one.includes(key));
    if (name === undefined) return expect.unreachable("the copy is not in Redis");
    await redis.command("COPY", name, "kept");
    await a.set(key, "new", { tierHint: "l3" });
    await eventually(async () => (await b.get(key)) === "new");
    await redis.command("COPY", "kept", name, "REPLACE");
    // A server that has just started has no copy of its own, and cannot have heard of the change.
    const c = await server();
    for (const memory of [a, b, c]) expect(await memory.get(key)).toBe("new");
    return undefined;
  });

  test("what a server has shown from Redis, an older state of Redis cannot take back", async () => {
    const key = randomUUID();
    const deaf = await server({ bus: false }, false);
    const shown = async (): Promise<number> => Number((await deaf.getItem(key))?.version);
    await a.set(key, "old", { tierHint: "l2" });
    const text = await redis.command("KEYS", `*${key}`);
    const [name] = Array.isArray(text) ? text.map(String) : [];
    if (name === undefined) return expect.unreachable("the copy is not in Redis");
    await redis.command("COPY", name, "kept", "REPLACE");
    await a.set(key, "new", { tierHint: "l2" });
    const newest = await shown();
    await redis.command("COPY", "kept", name, "REPLACE");
    expect(await shown()).toBeGreaterThanOrEqual(newest);
    return undefined;
  });

  test("without a bus the log alone tells", async () => {
    const deaf = await server({ bus: false });
    const key = randomUUID();
    await a.set(key, 1);
    expect(await deaf.get(key)).toBe(1);
    await a.set(key, 2);
    await eventually(async () => (await deaf.get(key)) === 2);
  });

  test("ephemeral items are everybody's, and never reach the database", async () => {
    const key = randomUUID();
    const receipt = await a.set(key, { n: 1 }, { durability: "ephemeral", ttlSeconds: 60 });
    expect(receipt.tiers).toEqual({ l2: "stored", l3: "skipped" });
    const item = await b.getItem(key);
    expect(item).toMatchObject({ value: { n: 1 }, tier: "l2" });
    expect(item?.ttlSeconds).toBeLessThanOrEqual(60);
    expect(await b.get(key, { consistency: "latest" })).toEqual({ n: 1 });
    expect((await b.search({ pattern: key })).items).toEqual([]);
    await b.mergePatch(key, { m: 2 });
    expect(await a.get(key)).toEqual({ n: 1, m: 2 });
    await b.update<{ n: number }>(key, (old) => ({ n: (old?.n ?? 0) + 1 }));
    expect(await a.get(key)).toEqual({ n: 2 });
    expect((await a.touch(key, { ttlSeconds: 5 })).tiers).toMatchObject({ l2: "stored" });
    expect((await a.getItem(key))?.ttlSeconds).toBeLessThanOrEqual(5);
    const [got, gone] = await b.batchOperations([
      { type: "get", key },
      { type: "delete", key },
    ]);
    expect(got).toMatchObject({ found: true, tierAccessed: "l2" });
    expect(gone).toMatchObject({ existed: true });
    expect(await a.get(key)).toBeUndefined();
    expect((await a.delete(key)).existed).toBe(false);
  });

  test("an ephemeral item and a durable one of the same key exclude each other", async () => {
    const key = randomUUID();
    await a.set(key, "durable");
    const set = b.set(key, "ephemeral", { durability: "ephemeral", ttlSeconds: 60 });
    await expect(set).rejects.toMatchObject({ code: "DURABILITY_CONFLICT" });
    await a.delete(key);
    await b.set(key, "ephemeral", { durability: "ephemeral", ttlSeconds: 60 });
    expect(await a.get(key)).toBe("ephemeral");
    await a.set(key, "durable again");
    await eventually(async () => (await b.get(key)) === "durable again");
    await a.delete(key);
    await eventually(async () => (await b.get(key)) === undefined);
    await a.namespace("e").set("k", 1, { durability: "ephemeral", ttlSeconds: 60 });
    await a.namespace("e").forget({ pattern: "*" });
    expect(await b.namespace("e").get("k")).toBeUndefined();
  });

  test("a server that started later still gives the ephemeral items of before", async () => {
    const key = randomUUID();
    await a.set(key, 1, { durability: "ephemeral", ttlSeconds: 60 });
    await a.set(randomUUID(), "takes a transaction");
    const c = await server();
    expect(await c.get(key)).toBe(1);
    expect(await c.get(key)).toBe(1);
  });

  test("a clear ends ephemeral items too, for servers that started later as well", async () => {
    const memory = a.namespace("swept");
    await memory.set("k", 1, { durability: "ephemeral", ttlSeconds: 60 });
    await memory.clear();
    expect(await memory.get("k")).toBeUndefined();
    const c = await server();
    expect(await c.namespace("swept").get("k")).toBeUndefined();
  });

  test("nor does the sweep of the clear bring them back", async () => {
    const memory = a.namespace("swept/later");
    await memory.set("k", 1, { durability: "ephemeral", ttlSeconds: 60 });
    const key = await nameInRedis("swept/later");
    await redis.command("COPY", key, "kept", "REPLACE");
    await memory.clear();
    for (let rounds = 0; rounds < 3; rounds += 1) await a.optimize();
    await redis.command("COPY", "kept", key, "REPLACE");
    const c = await server();
    expect(await c.namespace("swept/later").get("k")).toBeUndefined();
  });

  test.each([
    ["a delete", (memory: Memory) => memory.delete("k")],
    ["a forget", (memory: Memory) => memory.forget({ pattern: "*" })],
  ])("a failover of Redis does not undo %s of an ephemeral item", async (_, remove) => {
    const namespace = randomUUID();
    const memory = a.namespace(namespace);
    await memory.set("k", 1, { durability: "ephemeral", ttlSeconds: 60 });
    const key = await nameInRedis(namespace);
    await redis.command("COPY", key, "kept", "REPLACE");
    await remove(memory);
    await redis.command("COPY", "kept", key, "REPLACE");
    const c = await server();
    expect(await memory.get("k")).toBeUndefined();
    for (const one of [b, c])
      await eventually(async () => (await one.namespace(namespace).get("k")) === undefined);
    await redis.command("COPY", "kept", key, "REPLACE");
    await memory.set("k", 2, { durability: "ephemeral", ttlSeconds: 60 });
    expect(await c.namespace(namespace).get("k")).toBe(2);
  });

  test("reads and writes go on while Redis is away, and a delete then is final", async () => {
    const key = randomUUID();
    const vanishing = randomUUID();
    const batched = randomUUID();
    await a.set(key, 1, { tierHint: "l2" });
    for (const one of [vanishing, batched])
      await a.set(one, 1, { durability: "ephemeral", ttlSeconds: 60 });
    redis.pause();
    try {
      expect(await b.get(key)).toBe(1);
      // Until it is known that nobody answers there, the receipt says that an answer is awaited.
      await eventually(async () => (await b.set(key, 2)).tiers.l2 === "failed");
      await b.delete(vanishing);
      await b.batchOperations([{ type: "delete", key: batched }]);
    } finally {
      redis.resume();
    }
    const c = await server();
    for (const memory of [a, b, c])
      for (const one of [vanishing, batched])
        await eventually(async () => (await memory.get(one)) === undefined);
    for (const memory of [a, b, c]) await eventually(async () => (await memory.get(key)) === 2);
  });
});
