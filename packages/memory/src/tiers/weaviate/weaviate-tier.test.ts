import { writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { freePort, startWeaviate, temporaryFolder } from "@cherry-ai/services";
import type { WeaviateServer } from "@cherry-ai/services";
import { describeWithWeaviate } from "@cherry-ai/services/vitest";
import { systemClock } from "../../model/clock.ts";
import { seededRandom } from "../../testing/seeded-random.ts";
import type { VectorEntry } from "../vector.ts";
import { tenantOf } from "./entry-id.ts";
import { WeaviateTier } from "./weaviate-tier.ts";
import type { WeaviateTierOptions } from "./weaviate-tier.ts";

const INDEX = { number: 1, model: "m", dimensions: 2 };
const COLLECTION = "CherryVectors1";

const opened: WeaviateTier[] = [];
afterEach(async () => {
  for (const tier of opened.splice(0)) await tier.close();
});

async function openTier(
  server: { readonly url: string; readonly grpcUrl?: string },
  more: Partial<WeaviateTierOptions> = {},
): Promise<WeaviateTier> {
  const tier = new WeaviateTier({
    url: server.url,
    ...(server.grpcUrl === undefined ? {} : { grpcUrl: server.grpcUrl }),
    clock: systemClock,
    random: seededRandom(1),
    ...more,
  });
  opened.push(tier);
  await tier.initialize();
  return tier;
}

function entry(key: string, more: Partial<VectorEntry> = {}): VectorEntry {
  return { namespace: "n", key, itemVersion: 1, vector: Float32Array.of(1, 0), ...more };
}

async function keysIn(tier: WeaviateTier, namespace = "n"): Promise<readonly string[]> {
  const vector = Float32Array.of(1, 0);
  const { hits } = await tier.nearest({ index: 1, namespace, below: false, vector, limit: 10 });
  return hits.map(({ key }) => key).toSorted();
}

const away = expect.objectContaining({ code: "STORE_UNAVAILABLE", retryable: true });

describe("a Weaviate that cannot be used", () => {
  test("nobody there: the start goes on, calls fail at once and say where it was looked for", async () => {
    const port = await freePort();
    const tier = await openTier({ url: `http://127.0.0.1:${port}` });
    await expect(tier.listIndexes()).rejects.toThrow(away);
    const { status, reason } = tier.health();
    expect(status).toBe("degraded");
    expect(reason).toContain(`127.0.0.1:${port}`);
    expect(reason).toContain("ECONNREFUSED");
  });

  test("an old server is named, with the version that is needed", async () => {
    const old = createServer((_, answer) => {
      answer.setHeader("content-type", "application/json");
      answer.end(JSON.stringify({ version: "1.26.9" }));
    });
    await new Promise<void>((resolve) => old.listen(0, "127.0.0.1", resolve));
    const { port } = old.address() as AddressInfo;
    const tier = await openTier({ url: `http://127.0.0.1:${port}` });
    await expect(tier.listIndexes()).rejects.toThrow(
      expect.objectContaining({
        code: "CAPABILITY_UNAVAILABLE",
        message: expect.stringMatching(/version 1\.26\.9, expected 1\.27 or newer; upgrade/),
      }),
    );
    expect(tier.health().reason).toContain("1.26.9");
    old.closeAllConnections();
    await new Promise((resolve) => old.close(resolve));
  });

  test("addresses that make no sense are refused before anything is asked", () => {
    const make = (url: string, grpcUrl?: string): WeaviateTier =>
      new WeaviateTier({
        url,
        ...(grpcUrl === undefined ? {} : { grpcUrl }),
        clock: systemClock,
        random: Math.random,
      });
    const wrong = expect.objectContaining({ code: "INVALID_CONFIG" });
    for (const url of ["", "vectors:8080", "ftp://vectors", "http://a,nonsense"])
      expect(() => make(url)).toThrow(wrong);
    expect(() => make("http://a,http://b", "http://a:1")).toThrow(wrong);
  });
});

describeWithWeaviate("a Weaviate in trouble", () => {
  let server: WeaviateServer;
  beforeAll(async () => {
    server = await startWeaviate();
  });
  afterAll(() => server.remove());

  test("killed and started again it is found again, with what it had", async () => {
    // The driver complains of each try.
    const complaints = vi.spyOn(console, "warn").mockImplementation(() => {});
    const tier = await openTier(server, { queryTimeoutMs: 1000 });
    await tier.ensureIndex(INDEX);
    await tier.upsert(1, [entry("a")]);
    await server.kill();
    await expect(keysIn(tier)).rejects.toThrow(away);
    await expect(tier.upsert(1, [entry("b")])).rejects.toThrow(away);
    expect(tier.health().status).toBe("degraded");
    await server.start();
    await expect
      .poll(() => keysIn(tier).catch(() => undefined), { timeout: 30_000 })
      .toEqual(["a"]);
    await tier.upsert(1, [entry("b")]);
    expect(await keysIn(tier)).toEqual(["a", "b"]);
    expect(tier.health().status).toBe("ready");
    await tier.dropIndex(1);
    complaints.mockRestore();
  });

  test("one that does not answer is given up in time, and then not waited for", async () => {
    const tier = await openTier(server, { queryTimeoutMs: 100 });
    await tier.ensureIndex(INDEX);
    server.pause();
    try {
      await expect(keysIn(tier)).rejects.toThrow(away);
      await expect
        .poll(() => keysIn(tier).catch((error: unknown) => String(error)))
        .toContain("this call was not sent");
    } finally {
      server.resume();
    }
    await expect.poll(() => keysIn(tier).catch(() => undefined), { timeout: 30_000 }).toEqual([]);
    await tier.dropIndex(1);
  });

  test("of several servers another one is asked", async () => {
    const port = await freePort();
    const nobody = `http://127.0.0.1:${port}`;
    const tier = await openTier({
      url: `${nobody},${server.url}`,
      grpcUrl: `${nobody},${server.grpcUrl}`,
    });
    await tier.ensureIndex(INDEX);
    await tier.upsert(1, [entry("a")]);
    expect(await keysIn(tier)).toEqual(["a"]);
    await tier.dropIndex(1);
  });

  test("the longest unused namespaces are sent to disk, and wake when they are asked", async () => {
    const tier = await openTier(server, { activeTenantsMax: 10 });
    await tier.ensureIndex(INDEX);
    const spaces = Array.from({ length: 115 }, (_, place) => `space/${place}`);
    await tier.upsert(
      1,
      spaces.map((namespace) => entry("k", { namespace })),
    );
    await tier.close();
    const { body } = await server.request("GET", `/v1/schema/${COLLECTION}/tenants`);
    const statuses = new Map(
      (body as { name: string; activityStatus: string }[]).map((one) => [
        one.name,
        one.activityStatus,
      ]),
    );
    const idle = spaces.filter((one) => statuses.get(tenantOf(one)) === "COLD");
    expect(idle.length).toBeGreaterThanOrEqual(100);
    expect(idle).toContain("space/0");
    // Entries are written in the order of their namespaces, in which this one is the last.
    expect(idle).not.toContain("space/99");
    const other = await openTier(server);
    expect(await keysIn(other, "space/0")).toEqual(["k"]);
    await other.dropIndex(1);
  });

  test("an entry that says it is of another namespace is no hit", async () => {
    const tier = await openTier(server);
    await tier.ensureIndex(INDEX);
    await tier.upsert(1, [entry("mine")]);
    const answer = await server.request("POST", "/v1/objects", {
      class: COLLECTION,
      tenant: tenantOf("n"),
      properties: { namespace: "another", key: "foreign", itemVersion: 1 },
      vector: [1, 0],
    });
    expect(answer.status).toBe(200);
    expect(await keysIn(tier)).toEqual(["mine"]);
    await tier.dropIndex(1);
  });

  test("what Weaviate makes by itself for a dropped index goes again", async () => {
    const [tier, other] = [await openTier(server), await openTier(server)];
    await tier.ensureIndex(INDEX);
    await tier.upsert(1, [entry("a")]);
    await other.dropIndex(1);
    await expect(tier.upsert(1, [entry("a", { itemVersion: 2 })])).rejects.toThrow(
      expect.objectContaining({ code: "NOT_FOUND" }),
    );
    const { status } = await server.request("GET", `/v1/schema/${COLLECTION}`);
    expect(status).toBe(404);
    await tier.ensureIndex(INDEX);
    await tier.upsert(1, [entry("a", { itemVersion: 2 })]);
    expect(await keysIn(tier)).toEqual(["a"]);
    await tier.dropIndex(1);
  });

  test("a property that a newer release knows is added", async () => {
    const made = await server.request("POST", "/v1/schema", {
      class: COLLECTION,
      description: JSON.stringify({ format: 1, model: "m", dimensions: 2 }),
      vectorizer: "none",
      multiTenancyConfig: { enabled: true },
      properties: [{ name: "namespace", dataType: ["text"], tokenization: "field" }],
    });
    expect(made.status).toBe(200);
    const tiers = await Promise.all([openTier(server), openTier(server), openTier(server)]);
    await Promise.all(tiers.map((tier) => tier.ensureIndex(INDEX)));
    const { body } = await server.request("GET", `/v1/schema/${COLLECTION}`);
    const { properties } = body as { readonly properties: readonly { readonly name: string }[] };
    expect(properties.map(({ name }) => name).toSorted()).toEqual(
      ["atMs", "facets", "itemVersion", "key", "namespace", "terms"].toSorted(),
    );
    await tiers[0]?.dropIndex(1);
  });
});

describeWithWeaviate("a Weaviate with a key", () => {
  test("a wrong key is named, and a new one in its file is taken without a restart", async () => {
    const server = await startWeaviate({ apiKey: "right" });
    try {
      const apiKeyFile = join(temporaryFolder("key").path, "key");
      writeFileSync(apiKeyFile, "wrong\n");
      const tier = await openTier(server, { apiKeyFile });
      await expect(tier.listIndexes()).rejects.toThrow(
        expect.objectContaining({ message: expect.stringContaining("WEAVIATE_API_KEY") }),
      );
      writeFileSync(apiKeyFile, "right\n");
      await expect
        .poll(() => tier.listIndexes().catch(() => undefined), { timeout: 30_000 })
        .toEqual([]);
      await tier.ensureIndex(INDEX);
      await tier.upsert(1, [entry("a")]);
      expect(await keysIn(tier)).toEqual(["a"]);
    } finally {
      await server.remove();
    }
  });
});
