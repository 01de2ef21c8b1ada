import { describe, expect, onTestFinished, test } from "vitest";
import { isMemoryError } from "../model/errors.ts";
import type { JsonValue } from "../model/item.ts";
import type { Memory } from "./memory.ts";
import { UnifiedMemoryManager } from "./unified-memory-manager.ts";

const KEY = `k1:${Buffer.alloc(32, 7).toString("base64")}`;

async function open(encryptionKeys: readonly string[] = []): Promise<UnifiedMemoryManager> {
  const memory = new UnifiedMemoryManager({ dataDir: ":memory:", security: { encryptionKeys } });
  await memory.initialize();
  onTestFinished(() => memory.close());
  return memory;
}

/** The code of the error that a call ends with. */
async function codeOf(call: () => unknown): Promise<string> {
  try {
    await call();
  } catch (error) {
    return isMemoryError(error) ? error.code : `${String(error)} has no code`;
  }
  return "accepted";
}

/** Calls a method with what its types would not allow. */
function loosely(memory: Memory): { readonly [method: string]: (...args: unknown[]) => unknown } {
  return memory as unknown as { readonly [method: string]: (...args: unknown[]) => unknown };
}

describe("forget needs a selection", () => {
  test.each([{ tags: [] }, { metadataFilter: {} }, { metadataFilter: { $and: [{}] } }, {}])(
    "%j is refused and forgets nothing",
    async (selection) => {
      const memory = await open();
      await memory.set("a", 1);
      expect(await codeOf(() => memory.forget(selection))).toBe("INVALID_ARGUMENT");
      expect(await memory.exists("a", { consistency: "latest" })).toBe(true);
    },
  );

  test("an empty list beside a pattern selects by the pattern", async () => {
    const memory = await open();
    await memory.set("a", 1);
    await memory.set("b", 1);
    expect((await memory.forget({ pattern: "a", tags: [] })).forgotten).toBe(1);
  });
});

test("misspelt, unknown and wrongly typed options are refused and change nothing", async () => {
  const memory = await open();
  await memory.set("k", 1);
  await memory.namespace("under").set("k", 1);
  const loose = loosely(memory);
  const calls: readonly (readonly [string, ...unknown[]])[] = [
    ["set", "k", 2, { ttl: 5 }],
    ["set", "k", 2, null],
    ["set", "k", 2, { tierHint: 1n }],
    ["set", "k", 2, { ifVersion: 5n }],
    ["delete", "k", { ifversion: "1" }],
    ["get", "k", { consistensy: "latest" }],
    ["get", "k", "latest"],
    ["get", "k", { consistency: 1n }],
    ["touch", "k", { ttl: 1 }],
    ["search", { patern: "x" }],
    ["search", { limit: 10n }],
    ["search", null],
    ["forget", { pattern: "*", below: "false" }],
    ["forget", { pattern: "*", dryRun: 0 }],
    ["forget", { pattern: "*", jobAbove: "x" }],
    ["clear", { belw: true }],
    ["clear", { below: "false" }],
    ["batchOperations", [{ type: "set", key: "k", value: 2 }], { atomic: "true" }],
    ["batchOperations", [{ type: "set", key: "k", value: 2 }], { atomc: true }],
    ["batchOperations", [{ type: "set", key: "k", value: 2, ttl: 3 }]],
    ["batchOperations", [{ type: "get", key: "k", ifVersion: "1" }]],
    ["batchOperations", [{ type: "get", key: "k" }], { consistency: "lates" }],
    ["mergePatch", "k", {}, { ifVersoin: "9" }],
    ["compareAndSet", "k", 5n, 2],
    ["compareAndSet", "k", undefined, 2],
    ["update", "k", 5],
    ["getOrSet", "other", 5],
    ["changes", { limit: -1 }],
    ["changes", { limit: 1e9 }],
    ["importItems", null],
  ];
  const codes = await Promise.all(
    calls.map(async ([method, ...args]) => [
      method,
      args,
      await codeOf(() => loose[method]?.call(memory, ...args)),
    ]),
  );
  expect(codes.filter(([, , code]) => code !== "INVALID_ARGUMENT")).toEqual([]);
  expect(await memory.get("k", { consistency: "latest" })).toBe(1);
  expect(await memory.namespace("under").get("k", { consistency: "latest" })).toBe(1);
});

describe("a request under an idempotency key", () => {
  test("is answered by its first receipt, also with encryption", async () => {
    const memory = await open([KEY]);
    const batch = [{ type: "set", key: "a", value: 1 }] as const;
    const options = { atomic: true, idempotencyKey: "once" };
    const [first] = await memory.batchOperations(batch, options);
    const [again] = await memory.batchOperations(batch, options);
    expect(again?.version).toBe(first?.version);
  });

  test.each([{ tierHint: "l0" }, { index: false }, { text: "other" }] as const)(
    "with other options %j is another request",
    async (options) => {
      const memory = await open();
      await memory.set("a", 1, { idempotencyKey: "once" });
      const second = (): unknown => memory.set("a", 1, { ...options, idempotencyKey: "once" });
      expect(await codeOf(second)).toBe("IDEMPOTENCY_MISMATCH");
    },
  );

  test("with a patch of any depth is refused as one without", async () => {
    const memory = await open();
    await memory.set("a", {});
    let deep: JsonValue = 1;
    for (let depth = 0; depth < 50_000; depth += 1) deep = [deep];
    const patch = (): unknown => memory.mergePatch("a", deep, { idempotencyKey: "once" });
    expect(await codeOf(patch)).toBe("INVALID_VALUE");
  });
});

describe("ephemeral items", () => {
  const options = { durability: "ephemeral", ttlSeconds: 60 } as const;

  test("update keeps them ephemeral and calls back once", async () => {
    const memory = await open();
    await memory.set("e", 1, options);
    let calls = 0;
    await memory.update<number>("e", (current) => {
      calls += 1;
      return (current ?? 0) + 1;
    });
    expect([calls, await memory.get("e")]).toEqual([1, 2]);
    expect((await memory.search({})).items).toEqual([]);
  });

  test("conditions of durable sets are judged against them", async () => {
    const memory = await open();
    const { version } = await memory.set("e", 1, options);
    expect(await codeOf(() => memory.set("e", 2, { ifVersion: null }))).toBe("VERSION_CONFLICT");
    expect(await codeOf(() => memory.set("e", 2, { ifVersion: "1" }))).toBe("VERSION_CONFLICT");
    await memory.compareAndSet("e", version, 2);
    expect((await memory.search({})).items.map(({ value }) => value)).toEqual([2]);
  });

  test("their versions never stand for a durable item of the same key", async () => {
    const memory = await open();
    const { version } = await memory.set("e", 1, options);
    await memory.delete("e");
    await memory.set("e", 2);
    expect(await codeOf(() => memory.set("e", 3, { ifVersion: version }))).toBe("VERSION_CONFLICT");
  });

  test("an idempotency key, which they could not honour, is refused", async () => {
    const memory = await open();
    const set = (): unknown => memory.set("e", 1, { ...options, idempotencyKey: "once" });
    expect(await codeOf(set)).toBe("INVALID_ARGUMENT");
  });

  test("a batch names the tier that took them", async () => {
    const memory = await open();
    const [result] = await memory.batchOperations([
      { type: "set", key: "e", value: 1, ...options },
    ]);
    expect(result?.tierAccessed).toBe("l1");
  });
});

test("update leaves the time at which an item ends where it was", async () => {
  const memory = await open();
  await memory.set("k", 0, { ttlSeconds: 3600 });
  const before = (await memory.getItem("k"))?.expiresAt;
  for (let round = 0; round < 3; round += 1)
    await memory.update<number>("k", (current) => (current ?? 0) + 1);
  const after = await memory.getItem("k", { consistency: "latest" });
  expect([after?.value, after?.expiresAt]).toEqual([3, before]);
});

test.each([
  "+275760-09-13T00:00:00Z",
  "2999-01-01T00:00:00Z",
  "2030",
  "Tue Jan 1 2030",
  "2030-01-01",
])("an import that would end at %s is refused", async (expiresAt) => {
  const memory = await open();
  const { imported, failed } = await memory.importItems([{ key: "k", value: 1, expiresAt }]);
  expect([imported, failed]).toEqual([0, [{ line: 1, code: "INVALID_TTL" }]]);
});

test.each([["\u0000"], [""]])("an export after the key %j is refused", async (after) => {
  const memory = await open();
  const lines = memory.exportItems({ after })[Symbol.asyncIterator]();
  expect(await codeOf(() => lines.next())).toBe("INVALID_KEY");
});
