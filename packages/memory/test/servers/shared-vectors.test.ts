import { randomUUID } from "node:crypto";
import { startRedis } from "@cherry-ai/services";
import type { RedisServer } from "@cherry-ai/services";
import { describeWithPostgresAndRedis, testDatabase } from "@cherry-ai/services/vitest";
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test } from "vitest";
import type { Core } from "../../src/manager/core.ts";
import { SharedVectors } from "../../src/manager/recall/shared-vectors.ts";
import { UnifiedMemoryManager } from "../../src/manager/unified-memory-manager.ts";

const VECTOR = Float32Array.of(0.6, 0.8);
const ENCRYPTION_KEY = `k1:${Buffer.alloc(32, 9).toString("base64")}`;

class Server extends UnifiedMemoryManager {
  get core(): Core {
    return this.runtime.parts.core;
  }
}

describeWithPostgresAndRedis("vectors that servers share", () => {
  let redis: RedisServer;
  let servers: readonly Server[];
  let here: SharedVectors;
  let there: SharedVectors;
  /** Another one in each test. */
  let namespace: string;

  beforeAll(async () => {
    redis = await startRedis();
    const databaseUrl = await testDatabase();
    const open = async (): Promise<Server> => {
      const server = new Server({
        maxStalenessMs: 500,
        metrics: { enabled: false, prometheusEnabled: false },
        security: { encryptionKeys: [ENCRYPTION_KEY] },
        tiers: {
          L2: { enabled: true, url: redis.url },
          L3: { url: databaseUrl, connectionBudget: 8, servers: 1 },
        },
      });
      await server.initialize();
      return server;
    };
    servers = [await open(), await open()];
    [here, there] = servers.map(vectorsOf) as [SharedVectors, SharedVectors];
  });
  afterAll(async () => {
    await Promise.all(servers.map((server) => server.close()));
    await redis.remove();
  });
  beforeEach(() => {
    namespace = `acme/${randomUUID()}`;
  });

  function vectorsOf({ core }: Server): SharedVectors {
    if (core.shared === undefined) throw new Error("no shared tier");
    return new SharedVectors(core, core.shared, VECTOR.length);
  }

  async function keep(store: SharedVectors, at = namespace): Promise<void> {
    const looked = await store.lookUp(at, ["id"]);
    await looked.keep([{ id: "id", vector: VECTOR }]);
  }

  async function find(store: SharedVectors, at = namespace): Promise<Float32Array | undefined> {
    return (await store.lookUp(at, ["id"])).found[0];
  }

  test("what one has made, the other one finds, in that namespace alone", async () => {
    await keep(here);
    await expect.poll(() => find(there)).toEqual(VECTOR);
    expect(await find(there, `${namespace}0`)).toBeUndefined();
    expect(await find(there, "")).toBeUndefined();
  });

  test("what one forgets, none finds, until it is made anew", async () => {
    await keep(here);
    await expect.poll(() => find(there)).toEqual(VECTOR);
    await here.forget(namespace, false);
    expect(await find(here)).toBeUndefined();
    await expect.poll(() => find(there)).toBeUndefined();
    await keep(there);
    await expect.poll(() => find(here)).toEqual(VECTOR);
  });

  test("what one clears, none finds", async () => {
    await keep(here);
    await there.clear(namespace, false);
    expect(await find(there)).toBeUndefined();
    await expect.poll(() => find(here)).toBeUndefined();
  });

  test("after a change of the encryption key they are made anew", async () => {
    const [server] = servers;
    if (server === undefined) throw new Error("no server");
    await keep(here);
    server.core.codec.useKeys([`k2:${Buffer.alloc(32, 3).toString("base64")}`]);
    onTestFinished(() => server.core.codec.useKeys([ENCRYPTION_KEY]));
    expect(await find(here)).toBeUndefined();
    await keep(here);
    expect(await find(here)).toEqual(VECTOR);
  });

  test("what is below is forgotten only when that is asked for", async () => {
    const below = `${namespace}/agent`;
    await keep(here, below);
    await here.forget(namespace, false);
    expect(await find(here, below)).toEqual(VECTOR);
    await here.forget(namespace, true);
    expect(await find(here, below)).toBeUndefined();
  });

  test("a vector that was in the making when it was forgotten elsewhere is not found", async () => {
    await keep(there);
    const looked = await there.lookUp(namespace, ["id"]);
    await here.forget(namespace, false);
    await expect.poll(() => find(there)).toBeUndefined();
    await looked.keep([{ id: "id", vector: VECTOR }]);
    for (const store of [here, there]) expect(await find(store)).toBeUndefined();
  });

  test("no search, export or count of a namespace shows them", async () => {
    const [server] = servers;
    await keep(here);
    const page = await server?.search({ pattern: "*", below: true });
    expect(page?.items).toEqual([]);
    expect(await server?.namespace(namespace).forget({ pattern: "*", below: true })).toMatchObject({
      forgotten: 0,
    });
    expect(await find(here)).toEqual(VECTOR);
  });
});
