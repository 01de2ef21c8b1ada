import { expect, onTestFinished, test } from "vitest";
import { MemoryTier } from "../model/item.ts";
import { UnifiedMemoryManager } from "./unified-memory-manager.ts";

const HINT = { tierHint: MemoryTier.L1_PROCESS_MEMORY };

async function open(hotObjects: boolean): Promise<UnifiedMemoryManager> {
  const memory = new UnifiedMemoryManager({
    dataDir: ":memory:",
    tiers: { L0: { enabled: hotObjects } },
  });
  await memory.initialize();
  onTestFinished(() => memory.close());
  return memory;
}

/** Hits and misses of one tier. */
async function counted(memory: UnifiedMemoryManager, tier: string): Promise<unknown> {
  const { tiers } = await memory.getStats();
  const { hits, misses } = tiers.find((one) => one.tier === tier)?.usage ?? {};
  return { hits, misses };
}

test("a copy in process memory answers any value frozen, however it is asked for", async () => {
  const memory = await open(false);
  const values = [null, false, 0, "", "text", [1, ["é"]], { a: { b: "\u0000" } }];
  for (const value of values) {
    await memory.set("k", value, { ...HINT, metadata: { m: [1] }, tags: ["t"] });
    const got = await memory.get("k");
    expect(got).toEqual(value);
    expect(Object.isFrozen(got)).toBe(true);
    expect(memory.peek("k")).toEqual(value);
    expect(await memory.getMany(["k"])).toEqual([value]);
    const item = await memory.getItem("k");
    const fresh = await memory.getItem("k", { consistency: "latest" });
    expect(item).toMatchObject({ value, tier: "l1", metadata: { m: [1] }, tags: ["t"] });
    expect(Object.isFrozen(item?.metadata["m"])).toBe(true);
    expect(item?.checksum).toBe(fresh?.checksum);
    expect(item?.sizeBytes).toBe(fresh?.sizeBytes);
  }
});

test("each hit and each miss is counted once", async () => {
  const memory = await open(false);
  await memory.set("k", { a: 1 }, HINT);
  await memory.get("k");
  await memory.getItem("k");
  expect(await counted(memory, "l1")).toEqual({ hits: 2, misses: 0 });
  await memory.get("none");
  expect(await counted(memory, "l1")).toEqual({ hits: 2, misses: 1 });
});

test("a second hit decodes for good: the item moves up, with all that belongs to it", async () => {
  const memory = await open(true);
  await memory.set("k", { a: 1 }, { ...HINT, metadata: { m: 1 }, tags: ["t"] });
  const first = await memory.get("k");
  await memory.get("k");
  const hot = await memory.get("k");
  expect(hot).toEqual(first);
  expect(await memory.get("k")).toBe(hot);
  expect(await memory.getItem("k")).toMatchObject({ tier: "l0", metadata: { m: 1 }, tags: ["t"] });
});
