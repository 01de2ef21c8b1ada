import { DEFAULT_LIMITS } from "@cherry-ai/memory";
import type { BatchOperation, MemoryManager } from "@cherry-ai/memory";
import { afterAll, afterEach, beforeAll, expect, test, vi } from "vitest";
import { closedMemory, openMemory } from "../test/support.ts";
import { runEach, runInBatches, throwFirstFailure } from "./batches.ts";

let memory: MemoryManager;
beforeAll(async () => {
  memory = await openMemory();
});
afterAll(() => memory?.close());
afterEach(() => {
  vi.restoreAllMocks();
});

function sets(count: number, value: unknown): BatchOperation[] {
  return Array.from({ length: count }, (_, n) => ({ type: "set", key: `k${n}`, value }));
}

/** How many operations each batch had while `work` ran. */
async function batchSizes(work: () => Promise<unknown>): Promise<number[]> {
  const batches = vi.spyOn(memory, "batchOperations");
  await work();
  return batches.mock.calls.map(([operations]) => operations.length);
}

test("a batch is as full as the memory allows, by operations and by bytes", async () => {
  const exists = Array.from(
    { length: 2 * DEFAULT_LIMITS.batchOperations + 1 },
    (_, n): BatchOperation => ({ type: "exists", key: `k${n}` }),
  );
  expect(await batchSizes(() => runInBatches(memory, exists))).toEqual([1000, 1000, 1]);
  vi.restoreAllMocks();
  const large = sets(10, "v".repeat(1_000_000));
  expect(await batchSizes(() => runInBatches(memory, large))).toEqual([8, 2]);
  expect(await runInBatches(memory, [])).toEqual([]);
});

test("the operations beside a wrong one are done, and it is told which one it was", async () => {
  const operations = sets(3, 1);
  operations[1] = { type: "set", key: "k1", value: undefined };
  expect(await runEach(memory, operations)).toEqual([
    undefined,
    expect.objectContaining({ code: "INVALID_VALUE" }),
    undefined,
  ]);
  expect(await memory.getMany(["k0", "k2"])).toEqual([1, 1]);
});

test("a batch that nobody carried out is not tried again one by one", async () => {
  const closed = await closedMemory();
  const tries = vi.spyOn(closed, "batchOperations");
  const failures = await runEach(closed, sets(3, 1));
  expect(failures).toEqual(Array(3).fill(expect.objectContaining({ code: "CLOSED" })));
  expect(tries).toHaveBeenCalledTimes(1);
});

test("what one operation failed with keeps its code", async () => {
  await memory.set("k0", 1);
  const results = await runInBatches(memory, [
    { type: "get", key: "k0" },
    { type: "delete", key: "k0", ifVersion: "1234567" },
  ]);
  expect(() => throwFirstFailure(results)).toThrow(
    expect.objectContaining({ code: "VERSION_CONFLICT" }),
  );
  expect(() => throwFirstFailure(results.slice(0, 1))).not.toThrow();
});
