import { randomUUID } from "node:crypto";
import { startProxy, startRedis } from "@cherry-ai/services";
import type { Proxy, RedisServer } from "@cherry-ai/services";
import { describeWithPostgresAndRedis, testDatabase } from "@cherry-ai/services/vitest";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { UnifiedMemoryManager } from "../../src/manager/unified-memory-manager.ts";
import { PUT_EPHEMERAL, REMOVE_EPHEMERAL } from "../../src/tiers/redis/scripts.ts";
import type { RedisScript } from "../../src/tiers/redis/scripts.ts";
import { expectCode } from "../../src/testing/expect-code.ts";

const BOUND_MS = 3000;
const FLEETING = { durability: "ephemeral", ttlSeconds: 60 } as const;

describeWithPostgresAndRedis("ephemeral items where answers of Redis are lost", () => {
  let redis: RedisServer;
  let proxy: Proxy;
  let databaseUrl: string;
  let memory: UnifiedMemoryManager;
  let other: UnifiedMemoryManager;

  async function server(url: string): Promise<UnifiedMemoryManager> {
    const opened = new UnifiedMemoryManager({
      maxStalenessMs: BOUND_MS,
      metrics: { enabled: false, prometheusEnabled: false },
      tiers: {
        L2: { enabled: true, url, commandTimeoutMs: 2000 },
        L3: { url: databaseUrl, connectionBudget: 8, servers: 1 },
      },
    });
    await opened.initialize();
    return opened;
  }

  /** Of the next command that names this script. */
  function loseAnswerOf({ sha }: RedisScript): void {
    proxy.onData = (way, data) => {
      if (way !== "up" || !data.includes(sha)) return "pass";
      proxy.onData = undefined;
      return "cut-after";
    };
  }

  beforeAll(async () => {
    redis = await startRedis();
    databaseUrl = await testDatabase();
  });
  afterAll(() => redis.remove());
  beforeEach(async () => {
    proxy = await startProxy({ target: redis.port });
    memory = await server(proxy.through(redis.url));
    other = await server(redis.url);
    // Redis knows the scripts from here on.
    await other.set("warm", 1, FLEETING);
    await other.touch("warm", { ttlSeconds: 50 });
    await other.delete("warm");
  });
  afterEach(async () => {
    await Promise.all([memory.close(), other.close()]);
    await proxy.close();
  });

  test("a set is OUTCOME_UNKNOWN, and the item is there", async () => {
    const key = randomUUID();
    loseAnswerOf(PUT_EPHEMERAL);
    await expectCode("OUTCOME_UNKNOWN", () => memory.set(key, 1, FLEETING));
    await expect.poll(() => other.get(key)).toBe(1);
  });

  test("in a batch it is that operation's error", async () => {
    const key = randomUUID();
    loseAnswerOf(PUT_EPHEMERAL);
    const [result] = await memory.batchOperations([{ type: "set", key, value: 1, ...FLEETING }]);
    expect(result?.error).toMatchObject({ code: "OUTCOME_UNKNOWN", retryable: false });
  });

  test("a delete ends the item by the log and says that it was there", async () => {
    const key = randomUUID();
    await other.set(key, 1, FLEETING);
    loseAnswerOf(REMOVE_EPHEMERAL);
    expect(await memory.delete(key)).toMatchObject({ existed: true });
    await expect.poll(() => other.get(key)).toBeUndefined();
  });

  test("a delete with a condition is OUTCOME_UNKNOWN, for nobody knows what it met", async () => {
    const key = randomUUID();
    const { version } = await other.set(key, 1, FLEETING);
    loseAnswerOf(REMOVE_EPHEMERAL);
    await expectCode("OUTCOME_UNKNOWN", () => memory.delete(key, { ifVersion: version }));
  });

  test("a forget is OUTCOME_UNKNOWN, and what it removed no failover brings back", async () => {
    const namespace = randomUUID();
    await other.namespace(namespace).set("k", 1, FLEETING);
    const [name] = [await redis.command("KEYS", `*${namespace}*`)].flat().map(String);
    if (name === undefined) return expect.unreachable("the item is not in Redis");
    await redis.command("COPY", name, "kept", "REPLACE");
    // The script is sent by its hash first, which Redis does not know, and then in full.
    proxy.onData = (way, data) =>
      way === "up" && /\r\neval\r\n/.test(data.toString()) ? "cut-after" : "pass";
    await redis.command("SCRIPT", "FLUSH");
    const forget = memory.namespace(namespace).forget({ pattern: "*" });
    await expectCode("OUTCOME_UNKNOWN", () => forget);
    await redis.command("COPY", "kept", name, "REPLACE");
    await expect.poll(() => other.namespace(namespace).get("k")).toBeUndefined();
    return undefined;
  });
});
