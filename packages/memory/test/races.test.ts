import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { Memory, MemoryManager } from "../src/manager/memory.ts";
import { ManualClock, slowAuthority } from "../src/testing/index.ts";
import type { AuthorityTier } from "../src/tiers/authority.ts";
import { embeddedDatabase, openAuthority } from "./support/databases.ts";
import { openManager } from "./support/managers.ts";

const SLOW_MS = 100;

/** An answer that was overtaken on its way must not undo what overtook it. */
describe("a slow answer of the authority", () => {
  let authority: AuthorityTier;
  let manager: MemoryManager;
  let clock: ManualClock;
  /** Methods whose answers are held back now. */
  const slow = new Set<string>();
  let used = 0;
  let memory: Memory;

  beforeAll(async () => {
    clock = new ManualClock();
    authority = await openAuthority(embeddedDatabase());
    const delayed = slowAuthority(authority, {
      clock,
      delay: (method) => (slow.has(method) ? { afterMs: SLOW_MS } : undefined),
    });
    manager = await openManager(delayed, "usual");
  });
  afterAll(async () => {
    await manager?.close();
    await authority?.close();
  });
  beforeEach(() => {
    slow.clear();
    used += 1;
    memory = manager.namespace(`race-${used}`);
  });

  /** Starts a call whose answer is held back, and comes back when the authority has given it. */
  async function hold<T>(method: string, call: () => Promise<T>): Promise<Promise<T>[]> {
    const before = clock.sleeping;
    slow.add(method);
    const held = call();
    while (clock.sleeping === before) await new Promise((resolve) => setImmediate(resolve));
    slow.delete(method);
    return [held];
  }

  const reads = [
    ["get", () => memory.get("k")],
    ["getItem", () => memory.getItem("k")],
    ["getMany", () => memory.getMany(["k", "other"])],
    ["exists", () => memory.exists("k")],
    ["willNeed", () => memory.willNeed(["k"])],
    ["get latest", () => memory.get("k", { consistency: "latest" })],
    ["batch", () => memory.batchOperations([{ type: "get", key: "k" }])],
  ] as const;

  test.each(reads)("to %s brings no deleted item back", async (_, read) => {
    await memory.set("k", 1, { tierHint: "l3" });
    const held = await hold<unknown>("getMany", read);
    await memory.delete("k");
    await clock.advance(SLOW_MS);
    await Promise.all(held);
    expect(memory.peek("k")).toBeUndefined();
    expect(await memory.get("k")).toBeUndefined();
  });

  test.each(reads)("to %s never replaces what was written since", async (_, read) => {
    await memory.set("k", 1, { tierHint: "l3" });
    const held = await hold<unknown>("getMany", read);
    await memory.set("k", 2, { tierHint: "l3" });
    await clock.advance(SLOW_MS);
    await Promise.all(held);
    expect(await memory.get("k")).toBe(2);
  });

  test("reads that went together keep a change of one from the copies, and no other", async () => {
    for (const key of ["k", "other"]) await memory.set(key, 1, { tierHint: "l3" });
    const held = await hold("getMany", () => Promise.all([memory.get("k"), memory.get("other")]));
    await memory.delete("k");
    await clock.advance(SLOW_MS);
    expect(await Promise.all(held)).toEqual([[1, 1]]);
    expect([memory.peek("k"), memory.peek("other")]).toEqual([undefined, 1]);
  });

  const removals = [
    ["a clear", () => memory.clear()],
    ["a clear from above", () => manager.clear({ below: true })],
    ["a forget", () => memory.forget({ pattern: "*" })],
    [
      "an atomic batch",
      () => memory.batchOperations([{ type: "delete", key: "k" }], { atomic: true }),
    ],
  ] as const;

  test.each(removals)("to get brings nothing back that %s took", async (_, remove) => {
    await memory.set("k", 1, { tierHint: "l3" });
    const held = await hold("getMany", () => memory.get("k"));
    await remove();
    await clock.advance(SLOW_MS);
    await Promise.all(held);
    expect(memory.peek("k")).toBeUndefined();
    expect(await memory.get("k")).toBeUndefined();
  });

  test("to set leaves the copy of a later set in place", async () => {
    const held = await hold("write", () => memory.set("k", 1, { tierHint: "l0" }));
    await memory.set("k", 2, { tierHint: "l0" });
    await clock.advance(SLOW_MS);
    await Promise.all(held);
    expect(await memory.get("k")).toBe(2);
    expect(memory.peek("k") ?? 2).toBe(2);
  });

  test("to set brings no copy back of what was deleted since", async () => {
    const held = await hold("write", () => memory.set("k", 1, { tierHint: "l0" }));
    await memory.delete("k");
    await clock.advance(SLOW_MS);
    await Promise.all(held);
    expect(memory.peek("k")).toBeUndefined();
    expect(await memory.get("k")).toBeUndefined();
  });

  test("to a merge patch leaves the copy of a later set in place", async () => {
    await memory.set("k", { a: 1 });
    const held = await hold("modify", () => memory.mergePatch("k", { b: 2 }));
    await memory.set("k", { c: 3 });
    await clock.advance(SLOW_MS);
    await Promise.all(held);
    expect(await memory.get("k")).toEqual({ c: 3 });
  });
});

describe("what a server has shown", () => {
  let authority: AuthorityTier;
  let manager: MemoryManager;
  const ref = (key: string): { namespace: string; key: string } => ({ namespace: "shown", key });

  beforeAll(async () => {
    authority = await openAuthority(embeddedDatabase());
    manager = await openManager(authority, "usual");
  });
  afterAll(async () => {
    await manager?.close();
    await authority?.close();
  });

  /** Another server's write, of which this one has not heard yet. */
  async function writeElsewhere(key: string, kind: "put" | "remove"): Promise<void> {
    const memory = manager.namespace("shown");
    const item = await memory.getItem(key);
    const [held] = await authority.getMany([ref(key)]);
    expect(item?.version).toBe(String(held?.version));
    if (held === undefined) return;
    const { body, metadata, tags } = held;
    await authority.write([
      kind === "remove"
        ? { kind, ...ref(key) }
        : { kind, ...ref(key), body, metadata, tags, ttlSeconds: undefined },
    ]);
  }

  test("by a latest read is not taken back by an older copy", async () => {
    const memory = manager.namespace("shown");
    await memory.set("k", 1, { tierHint: "l0" });
    await writeElsewhere("k", "put");
    const latest = await memory.getItem("k", { consistency: "latest" });
    const plain = await memory.getItem("k");
    expect(Number(plain?.version)).toBe(Number(latest?.version));
  });

  test("to be absent is not taken back by a copy", async () => {
    const memory = manager.namespace("shown");
    await memory.set("gone", 1, { tierHint: "l0" });
    await writeElsewhere("gone", "remove");
    expect(await memory.get("gone", { consistency: "latest" })).toBeUndefined();
    expect(memory.peek("gone")).toBeUndefined();
    expect(await memory.getMany(["gone"])).toEqual([undefined]);
  });
});
