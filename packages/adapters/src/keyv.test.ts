import type { MemoryManager } from "@cherry-ai/memory";
import { Keyv } from "keyv";
import type { KeyvStoreAdapter } from "keyv";
import { Keyv as Keyv6 } from "keyv-6";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { closedMemory, collect, openMemory } from "../test/support.ts";
import { KeyvStore } from "./keyv.ts";

let memory: MemoryManager;
beforeAll(async () => {
  memory = await openMemory();
});
afterAll(() => memory?.close());
beforeEach(() => memory.clear({ below: true }));

/** Everything in the memory, as "namespace key" with its value. */
async function contents(): Promise<{ [where: string]: unknown }> {
  const found: { [where: string]: unknown } = {};
  for await (const { namespace = "", key, value } of memory.exportItems({ below: true }))
    found[`${namespace} ${key}`] = value;
  return found;
}

function keyv5(namespace?: string): Keyv {
  // Keyv's type says that setMany answers nothing; Keyv hands out what it answers.
  const store: Omit<KeyvStoreAdapter, "setMany"> = new KeyvStore(memory);
  return new Keyv({ store, ...(namespace === undefined ? {} : { namespace }) });
}

describe("where entries are", () => {
  test("each namespace of Keyv is one of the memory; the text is Keyv's own, as it is", async () => {
    await keyv5("users").set("1", { name: "Ada" });
    await new Keyv6({ store: new KeyvStore(memory), namespace: "a/b" }).set("1", 2);
    const space = new KeyvStore(memory, { namespace: [] });
    await space.set("plain", '{"any": "text"}');
    expect(await contents()).toEqual({
      "keyv/users users:1": '{"value":{"name":"Ada"}}',
      "keyv/a%002fb 1": '{"value":2}',
      " plain": '{"any": "text"}',
    });
  });

  test("clearing one namespace leaves the others and the rest of the memory", async () => {
    await memory.set("mine", 1);
    await keyv5("a").set("k", 1);
    await keyv5("a:b").set("k", 1);
    const bare = new KeyvStore(memory);
    await bare.set("k", "1");
    await keyv5("a").clear();
    await new KeyvStore(memory, { namespace: ["elsewhere"] }).clear();
    expect(Object.keys(await contents())).toEqual([" mine", "keyv k", "keyv/a:b a:b:k"]);
    await bare.clear();
    expect(Object.keys(await contents())).toEqual([" mine", "keyv/a:b a:b:k"]);
  });

  test("any key is an ordinary one, and the iterator gives it back", async () => {
    const keys = [
      "",
      ".",
      "..",
      "100%",
      "a:b/c",
      "\u0000",
      "\ud800",
      "__proto__",
      "k".repeat(2000),
    ];
    const keyv = keyv5();
    for (const key of keys) expect(await keyv.set(key, `value of ${key}`)).toBe(true);
    for (const key of keys) expect(await keyv.get(key)).toBe(`value of ${key}`);
    if (keyv.iterator === undefined) throw new Error("no iterator");
    const listed = await collect(keyv.iterator({}));
    expect(Object.fromEntries(listed)).toEqual(
      Object.fromEntries(keys.map((key) => [key, `value of ${key}`])),
    );
    expect(await keyv.delete(keys)).toBe(true);
    expect(await contents()).toEqual({});
  });
});

describe("lifetimes", () => {
  test.each([1500, 86_400_000])("a ttl of %d ms is kept to the millisecond", async (ttl) => {
    const store = new KeyvStore(memory);
    await store.set("one", "1", ttl);
    await store.setMany([{ key: "two", value: "2", ttl }]);
    for await (const line of memory.namespace("keyv").exportItems())
      expect(Date.parse(line.expiresAt ?? "") - Date.parse(line.updatedAt ?? "")).toBe(ttl);
  });

  test("0 and undefined are for ever, and setting again without a ttl ends one", async () => {
    const store = new KeyvStore(memory);
    await store.set("k", "1", 1000);
    await store.set("k", "2", 0);
    await store.setMany([{ key: "l", value: "1", ttl: undefined }]);
    for (const line of await collect(memory.namespace("keyv").exportItems()))
      expect(line).not.toHaveProperty("expiresAt");
  });

  test.each([-1, Number.NaN, Number.POSITIVE_INFINITY, 1e15])(
    "%d is refused, not clamped",
    async (ttl) => {
      await expect(new KeyvStore(memory).set("k", "1", ttl)).rejects.toMatchObject({
        code: "INVALID_TTL",
      });
    },
  );
});

describe("many at once", () => {
  test("more keys than one batch may have", async () => {
    const keys = Array.from({ length: 1_234 }, (_, n) => `k${n}`);
    const store = new KeyvStore(memory);
    const stored = await store.setMany(keys.map((key) => ({ key, value: key })));
    expect(stored).toEqual(keys.map(() => true));
    expect(await store.getMany([...keys, "absent"])).toEqual([...keys, undefined]);
    expect(await store.hasMany(["k7", "absent", "k1233"])).toEqual([true, false, true]);
    expect(await collect(store.iterator())).toHaveLength(keys.length);
    expect(await store.deleteMany([...keys, ...keys])).toBe(true);
    expect(await store.deleteMany(["k1"])).toBe(false);
    expect(await contents()).toEqual({});
  });

  test("more bytes than one batch may have", async () => {
    const value = "v".repeat(1_000_000);
    const entries = Array.from({ length: 10 }, (_, n) => ({ key: `k${n}`, value }));
    const store = new KeyvStore(memory);
    expect(await store.setMany(entries)).toEqual(entries.map(() => true));
    expect(await store.getMany(["k9"])).toEqual([value]);
  });

  test("deleting some that are absent says false, and deletes the others", async () => {
    const store = new KeyvStore(memory);
    await store.setMany([{ key: "k", value: "1" }]);
    expect(await store.deleteMany(["k", "absent"])).toBe(false);
    expect(await store.has("k")).toBe(false);
    expect(await store.deleteMany([])).toBe(true);
  });

  /** What both have in common. */
  interface AnyKeyv {
    on(event: string, listener: (error: unknown) => void): unknown;
    setMany(entries: { key: string; value: string }[]): Promise<boolean[]>;
    getMany(keys: string[]): Promise<unknown[]>;
  }

  test.each<[string, () => AnyKeyv]>([
    ["Keyv 5", () => new Keyv({ store: new KeyvStore(memory) })],
    ["Keyv 6", () => new Keyv6({ store: new KeyvStore(memory) })],
  ])("one wrong entry fails alone, and %s hears of it", async (_, open) => {
    const errors: unknown[] = [];
    const keyv = open();
    keyv.on("error", (error) => errors.push(error));
    const stored = await keyv.setMany([
      { key: "a", value: "1" },
      { key: "b", value: "x".repeat(2_000_000) },
      { key: "c", value: "3" },
    ]);
    expect(stored).toEqual([true, false, true]);
    expect(await keyv.getMany(["a", "b", "c"])).toEqual(["1", undefined, "3"]);
    expect(errors).toEqual([expect.objectContaining({ code: "VALUE_TOO_LARGE" })]);
  });
});

describe("a memory that cannot answer", () => {
  async function closedStore(): Promise<KeyvStore> {
    return new KeyvStore(await closedMemory());
  }
  const CLOSED = expect.objectContaining({ code: "CLOSED" });

  test("every call of the store rejects where nobody listens", async () => {
    const store = await closedStore();
    const calls = [
      () => store.setMany([{ key: "k", value: "1" }]),
      () => store.get("k"),
      () => store.getMany(["k"]),
      () => store.set("k", "1"),
      () => store.delete("k"),
      () => store.deleteMany(["k"]),
      () => store.has("k"),
      () => store.hasMany(["k"]),
      () => store.clear(),
      () => collect(store.iterator()),
    ];
    for (const call of calls) await expect(call()).rejects.toEqual(CLOSED);
    await store.disconnect();
  });

  test("Keyv 5 emits an error once for each call, reads too", async () => {
    const errors: unknown[] = [];
    const keyv = new Keyv({ store: await closedStore() });
    keyv.on("error", (error) => errors.push(error));
    expect(await keyv.get("k")).toBeUndefined();
    expect(errors).toEqual([CLOSED]);
    expect(await keyv.set("k", 1)).toBe(false);
    expect(await keyv.delete("k")).toBe(false);
    await keyv.clear();
    expect(errors).toEqual([CLOSED, CLOSED, CLOSED, CLOSED]);
    const entries = ["a", "b", "c"].map((key) => ({ key, value: 1 }));
    expect(await keyv.setMany(entries)).toEqual([false, false, false]);
    expect(errors).toHaveLength(5);
  });

  test("Keyv 5 throws where it is told to", async () => {
    const keyv = new Keyv({ store: await closedStore(), throwOnErrors: true });
    await expect(keyv.get("k")).rejects.toEqual(CLOSED);
    await expect(keyv.set("k", 1)).rejects.toEqual(CLOSED);
  });

  test("Keyv 6 emits an error for a read that failed", async () => {
    const errors: unknown[] = [];
    const keyv = new Keyv6({ store: await closedStore() });
    keyv.on("error", (error: unknown) => errors.push(error));
    expect(await keyv.get("k")).toBeUndefined();
    // Once by Keyv 6 itself, once by the store, which cannot tell it from Keyv 5.
    expect(errors).toEqual([CLOSED, CLOSED]);
  });
});
