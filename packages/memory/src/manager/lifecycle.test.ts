import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { MemoryError, isMemoryError } from "../model/errors.ts";
import { createTiers } from "../tiers/factory.ts";
import { UnifiedMemoryManager } from "./unified-memory-manager.ts";

const KEY = `k1:${Buffer.alloc(32, 7).toString("base64")}`;

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "cherry-lifecycle-"));
  onTestFinished(() => {
    rmSync(folder, { recursive: true });
  });
  return folder;
}

test("a write under way at close is answered as it came out", async () => {
  const dataDir = join(temporaryFolder(), "data");
  const memory = new UnifiedMemoryManager({ dataDir });
  await memory.initialize();
  const pending = Array.from({ length: 50 }, (_, index) => memory.set(`k${index}`, index));
  const outcomes = Promise.allSettled(pending);
  await memory.close();
  const statuses = (await outcomes).map(({ status }) => status);
  const again = new UnifiedMemoryManager({ dataDir });
  await again.initialize();
  const values = await again.getMany(Array.from({ length: 50 }, (_, index) => `k${index}`));
  await again.close();
  const stored = values.map((value) => (value === undefined ? "rejected" : "fulfilled"));
  expect(stored).toEqual(statuses);
});

test("a change of many sweeps is swept within one round", async () => {
  const memory = new UnifiedMemoryManager({
    dataDir: ":memory:",
    optimization: { enabled: false, sweepRows: 10 },
  });
  await memory.initialize();
  onTestFinished(() => memory.close());
  await memory.batchOperations(
    Array.from({ length: 95 }, (_, index) => ({
      type: "set",
      key: `k${index}`,
      value: 1,
      ttlSeconds: 0.01,
    })),
  );
  await new Promise((resolve) => setTimeout(resolve, 50));
  const { swept } = await memory.optimize();
  expect(swept).toBeGreaterThanOrEqual(95);
});

test("a page of search ends before its values are too much for one answer", async () => {
  const memory = new UnifiedMemoryManager({ dataDir: ":memory:" });
  await memory.initialize();
  onTestFinished(() => memory.close());
  const value = "x".repeat(1_000_000);
  for (let index = 0; index < 20; index += 1) await memory.set(`k${index}`, value);
  const first = await memory.search({ limit: 100 });
  const { nextCursor: cursor } = first;
  expect([first.items.length < 20, typeof cursor]).toEqual([true, "string"]);
  const rest = await memory.search({ limit: 100, ...(cursor === undefined ? {} : { cursor }) });
  expect(first.items.length + rest.items.length).toBe(20);
});

describe("encryption keys from a file", () => {
  function keyFile(text: string): string {
    const path = join(temporaryFolder(), "keys");
    writeFileSync(path, text);
    return path;
  }

  async function open(encryptionKeysFile: string): Promise<UnifiedMemoryManager> {
    const memory = new UnifiedMemoryManager({
      dataDir: ":memory:",
      optimization: { enabled: false },
      security: { encryptionKeysFile },
    });
    await memory.initialize();
    onTestFinished(() => memory.close());
    return memory;
  }

  test("are in force from the first write, and an emptied file leaves them so", async () => {
    const path = keyFile(KEY);
    const memory = await open(path);
    const { checksum: first } = (await memory.set("a", 1).then(() => memory.getItem("a"))) ?? {};
    writeFileSync(path, "");
    await memory.optimize();
    await memory.set("b", 2);
    await expect(memory.get("a", { consistency: "latest" })).resolves.toBe(1);
    const explained = await memory.explain("b");
    // A body in clear is 11 bytes; an encrypted one has a nonce, a tag and its key's id besides.
    expect(explained.tiers.at(-1)?.sizeBytes).toBeGreaterThan(30);
    expect(first).toMatch(/^[0-9a-f]{8}$/);
  });

  test("are missed at the start when the file holds none", async () => {
    const memory = new UnifiedMemoryManager({
      dataDir: ":memory:",
      security: { encryptionKeysFile: keyFile(" \n") },
    });
    await expect(memory.initialize()).rejects.toMatchObject({ code: "INVALID_CONFIG" });
    await memory.close();
  });
});

test.each(["OUTCOME_UNKNOWN", "INTERNAL", "DEADLINE_EXCEEDED"] as const)(
  "a write that was made and answered %s leaves no old copy behind",
  async (code) => {
    const memory = new UnifiedMemoryManager(
      { dataDir: ":memory:", optimization: { enabled: false } },
      {
        tiers: async (config, around) => {
          const tiers = await createTiers(config, around);
          const { authority } = tiers;
          const write = authority.write.bind(authority);
          let writes = 0;
          authority.write = async (operations, options) => {
            const results = await write(operations, options);
            writes += 1;
            if (writes > 1) throw new MemoryError(code, "the answer was lost");
            return results;
          };
          return tiers;
        },
      },
    );
    await memory.initialize();
    onTestFinished(() => memory.close());
    await memory.set("k", "old", { tierHint: "l0" });
    await expect(memory.set("k", "new")).rejects.toMatchObject({ code });
    await expect(memory.get("k")).resolves.toBe("new");
  },
);

test.each([
  ["in its first chunk", 0, "STORE_UNAVAILABLE"],
  ["in its second", 1, "OUTCOME_UNKNOWN"],
] as const)("a forget that fails %s says whether anything was done", async (_, chunks, code) => {
  const memory = new UnifiedMemoryManager(
    { dataDir: ":memory:", optimization: { enabled: false } },
    {
      tiers: async (config, around) => {
        const tiers = await createTiers(config, around);
        const { authority } = tiers;
        const forgetChunk = authority.forgetChunk.bind(authority);
        let done = 0;
        authority.forgetChunk = (selection, options) => {
          if (done === chunks) return Promise.reject(new MemoryError("STORE_UNAVAILABLE", "away"));
          done += 1;
          return forgetChunk(selection, { ...options, limit: 2 });
        };
        return tiers;
      },
    },
  );
  await memory.initialize();
  onTestFinished(() => memory.close());
  for (const key of ["a", "b", "c", "d", "e"]) await memory.set(key, 1);
  await expect(memory.forget({ pattern: "*" })).rejects.toMatchObject({ code });
});

describe("while the authority is away", () => {
  test("many reads answer what is at hand, one by one and in a batch", async () => {
    let isAway = false;
    const memory = new UnifiedMemoryManager(
      { dataDir: ":memory:", optimization: { enabled: false } },
      {
        tiers: async (config, around) => {
          const tiers = await createTiers(config, around);
          const { authority } = tiers;
          const getMany = authority.getMany.bind(authority);
          authority.getMany = (refs) =>
            isAway ? Promise.reject(new MemoryError("STORE_UNAVAILABLE", "away")) : getMany(refs);
          return tiers;
        },
      },
    );
    await memory.initialize();
    onTestFinished(() => memory.close());
    await memory.set("hot", 1);
    isAway = true;
    const [hot, cold] = await memory.batchOperations([
      { type: "get", key: "hot" },
      { type: "get", key: "cold" },
    ]);
    expect([hot?.value, hot?.success, cold?.error?.code]).toEqual([1, true, "STORE_UNAVAILABLE"]);
    await expect(memory.getMany(["hot", "cold"])).rejects.toMatchObject({
      code: "STORE_UNAVAILABLE",
    });
  });
});

test("a wrong configuration never shows what lies beside the mistake", () => {
  const settings: object = {
    colour: "red",
    security: { encryptionKeys: [KEY] },
    tiers: { L3: { url: "postgres://u:hunter2@h/d", ur1: 1 } },
  };
  try {
    new UnifiedMemoryManager(settings);
    expect.unreachable();
  } catch (error) {
    expect(isMemoryError(error) && error.message).toMatch(/colour[^]*ur1|ur1[^]*colour/);
    expect(String(error)).not.toMatch(/hunter2|BwcHBw/);
  }
});

test.each([
  { limits: { keyBytes: 8000 } },
  { limits: { valueBytes: 1.5 } },
  { limits: { jsonDepth: 1e6 } },
  { limits: { ttlSeconds: 1e30 } },
  { tiers: { L1: { maxSizeMb: 1e7 } } },
  { tiers: { L1: { maxItems: 1e12 } } },
])("%j, which could not work, is refused at once", (config) => {
  expect(() => new UnifiedMemoryManager(config)).toThrow(/configuration is wrong/);
});

test("a fraction of a mebibyte is a size like any other", async () => {
  const memory = new UnifiedMemoryManager({
    dataDir: ":memory:",
    tiers: { L1: { maxSizeMb: 0.3 } },
  });
  await memory.initialize();
  await memory.close();
});
