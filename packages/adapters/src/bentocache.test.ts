import type { MemoryManager } from "@cherry-ai/memory";
import { BentoCache, bentostore } from "bentocache";
import { memoryDriver } from "bentocache/drivers/memory";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { closedMemory, collect, openMemory } from "../test/support.ts";
import { CherryDriver, cherryDriver } from "./bentocache.ts";

let memory: MemoryManager;
beforeAll(async () => {
  memory = await openMemory();
});
afterAll(() => memory?.close());
beforeEach(() => memory.clear({ below: true }));

async function where(): Promise<string[]> {
  const lines = await collect(memory.exportItems({ below: true }));
  return lines.map(({ namespace = "", key }) => `${namespace} ${key}`);
}

function twoLayers(prefix?: string): BentoCache<{ main: ReturnType<typeof bentostore> }> {
  return new BentoCache({
    default: "main",
    ...(prefix === undefined ? {} : { prefix }),
    stores: {
      main: bentostore().useL1Layer(memoryDriver({})).useL2Layer(cherryDriver({ memory })),
    },
  });
}

describe("under bentocache", () => {
  test("what one cache stored another finds, loading it once", async () => {
    const loaded = await twoLayers().getOrSet({ key: "user:1", factory: () => ({ name: "Ada" }) });
    expect(loaded).toEqual({ name: "Ada" });
    const other = twoLayers();
    const again = await other.getOrSet({
      key: "user:1",
      factory: () => ({ name: "loaded again" }),
    });
    expect(again).toEqual({ name: "Ada" });
    expect(await where()).toEqual(["bentocache/bentocache/user 1"]);
  });

  test("caches of other prefixes, and the rest of the memory, are left alone", async () => {
    await memory.set("mine", 1);
    const [one, other] = [twoLayers("one"), twoLayers("other")];
    await one.set({ key: "k", value: 1 });
    await one.namespace("below").set({ key: "k", value: 1 });
    await other.set({ key: "k", value: 2 });
    await one.clear();
    expect(await where()).not.toContain("bentocache/one k");
    expect(await twoLayers("one").namespace("below").get({ key: "k" })).toBeUndefined();
    expect(await twoLayers("other").get({ key: "k" })).toBe(2);
    expect(await memory.get("mine")).toBe(1);
  });

  test("a layer that cannot answer is bentocache's to judge: thrown where it is told to", async () => {
    const closed = await closedMemory();
    const cache = new BentoCache({
      default: "main",
      stores: { main: bentostore().useL2Layer(cherryDriver({ memory: closed })) },
    });
    await expect(cache.get({ key: "k", suppressL2Errors: false })).rejects.toMatchObject({
      cause: { code: "CLOSED" },
    });
  });
});

describe("the driver", () => {
  test("a ttl is kept to the millisecond; 0 and undefined are for ever", async () => {
    const driver = new CherryDriver({ memory });
    await driver.set("timed", "1", 1500);
    await driver.set("for ever", "1", 0);
    const lines = await collect(memory.namespace("bentocache").exportItems());
    const lifetimes = lines.map(({ key, expiresAt, updatedAt = "" }) => [
      key,
      expiresAt === undefined ? undefined : Date.parse(expiresAt) - Date.parse(updatedAt),
    ]);
    expect(Object.fromEntries(lifetimes)).toEqual({ timed: 1500, "for ever": undefined });
    await expect(driver.set("k", "1", -1)).rejects.toMatchObject({ code: "INVALID_TTL" });
  });

  test("of many who pull an entry one gets it", async () => {
    const driver = new CherryDriver({ memory, prefix: "p" });
    for (let round = 0; round < 10; round += 1) {
      await driver.set("k", `value ${round}`);
      const pulled = await Promise.all(Array.from({ length: 5 }, () => driver.pull("k")));
      expect(pulled.filter((value) => value !== undefined)).toEqual([`value ${round}`]);
    }
  });

  test("keys of any length and shape, deleted together over many namespaces", async () => {
    const driver = new CherryDriver({ memory, prefix: "p" });
    const keys = ["", ".", "a:b:c", "https://example.com/a?b=c%20d", "1:2:3:4:5:6:7:8:9:10"];
    keys.push("k".repeat(3000), ...Array.from({ length: 30 }, (_, n) => `user:${n}:name`));
    for (const key of keys) await driver.set(key, `value of ${key}`);
    for (const key of keys) expect(await driver.get(key)).toBe(`value of ${key}`);
    await driver.set("kept", "1");
    expect(await driver.deleteMany(keys)).toBe(true);
    expect(await where()).toEqual(["bentocache/p kept"]);
  });

  test("a prefix that no namespace can hold is refused at once", () => {
    const driver = new CherryDriver({ memory, prefix: "1:2:3:4:5:6:7:8" });
    expect(() => driver.namespace("9")).toThrow(
      expect.objectContaining({ code: "INVALID_NAMESPACE" }),
    );
  });

  test("what is no text is an error, not a value and not a miss", async () => {
    await memory.namespace("bentocache").set("k", { by: "somebody else" });
    await expect(new CherryDriver({ memory }).get("k")).rejects.toMatchObject({
      code: "INVALID_VALUE",
    });
  });
});
