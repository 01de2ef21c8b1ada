import { expect, test } from "vitest";
import { ChangeWatches } from "./change-watches.ts";
import type { ChangeWatch } from "./change-watches.ts";

const ITEM = { namespace: "n", key: "k" };

/** Whether it has been told by now. */
async function isTold(watch: ChangeWatch): Promise<boolean> {
  const later = new Promise<"later">((resolve) => setImmediate(() => resolve("later")));
  return (await Promise.race([watch.changed, later])) !== "later";
}

test("all who wait for an item are told, and nobody else", async () => {
  const watches = new ChangeWatches();
  const one = watches.watch(ITEM);
  const two = watches.watch(ITEM);
  const elsewhere = watches.watch({ namespace: "other", key: "k" });
  const another = watches.watch({ namespace: "n", key: "other" });
  expect(await isTold(one)).toBe(false);
  watches.tell(ITEM);
  expect(await Promise.all([one, two, elsewhere, another].map(isTold))).toEqual([
    true,
    true,
    false,
    false,
  ]);
});

test("a watch that has ended holds nothing, also when it ends twice", async () => {
  const watches = new ChangeWatches();
  const one = watches.watch(ITEM);
  const two = watches.watch(ITEM);
  one.end();
  one.end();
  expect(watches.size).toBe(1);
  watches.tell(ITEM);
  expect(await isTold(one)).toBe(false);
  expect(await isTold(two)).toBe(true);
  two.end();
  expect(watches.size).toBe(0);
});

test("beyond the bound a watch is not told, and takes no place", async () => {
  const watches = new ChangeWatches(1);
  const one = watches.watch(ITEM);
  const tooMany = watches.watch(ITEM);
  watches.tell(ITEM);
  expect(await isTold(tooMany)).toBe(false);
  tooMany.end();
  expect(watches.size).toBe(1);
  one.end();
  const next = watches.watch(ITEM);
  watches.tell(ITEM);
  expect(await isTold(next)).toBe(true);
});
