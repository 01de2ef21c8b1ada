import { expect, test } from "vitest";
import { seededRandom } from "../testing/seeded-random.ts";
import { ItemHash } from "./item-hash.ts";

test("is the same for the same item, whatever was asked between", () => {
  const hash = new ItemHash(seededRandom(1));
  const seen = new Map<string, number>();
  for (let round = 0; round < 2; round += 1)
    for (let at = 0; at < 10_000; at += 1) {
      const namespace = ["", "a", "ab", "users/1", "users/10"][at % 5] ?? "";
      const ref = { namespace, key: `k${at % 4001}` };
      const value = hash.of(ref);
      expect(value >>> 0).toBe(value);
      const id = JSON.stringify(ref);
      expect(seen.get(id) ?? value).toBe(value);
      seen.set(id, value);
    }
  // Birthdays: ten thousand of 2^32.
  expect(new Set(seen.values()).size).toBeGreaterThan(seen.size - 3);
});

test("a letter cannot go from the namespace to the key", () => {
  const hash = new ItemHash(seededRandom(2));
  const pairs = [
    ["a", "bc"],
    ["ab", "c"],
    ["abc", "x"],
    ["", "abcx"],
  ] as const;
  expect(new Set(pairs.map(([namespace, key]) => hash.of({ namespace, key }))).size).toBe(4);
});

test("depends on seeds that nobody outside knows", () => {
  const ref = { namespace: "a", key: "b" };
  expect(new ItemHash(seededRandom(1)).of(ref)).not.toBe(new ItemHash(seededRandom(2)).of(ref));
});
