import { expect, test } from "vitest";
import { pick, seededRandom, shuffle, wholeBelow, withSeed } from "./seeded-random.ts";

test("the same seed gives the same numbers, another seed others", () => {
  const draw = (seed: number): number[] => Array.from({ length: 50 }, seededRandom(seed));
  expect(draw(1)).toEqual(draw(1));
  expect(draw(1)).not.toEqual(draw(2));
});

test("numbers are in [0, 1) and spread evenly", () => {
  const random = seededRandom(42);
  const buckets = Array.from({ length: 10 }, () => 0);
  for (let n = 0; n < 100_000; n += 1) {
    const drawn = random();
    expect(drawn >= 0 && drawn < 1).toBe(true);
    const bucket = Math.floor(drawn * 10);
    buckets[bucket] = (buckets[bucket] ?? 0) + 1;
  }
  // Ten standard deviations of a binomial with n = 100,000 and p = 0.1 are 949.
  for (const count of buckets) expect(Math.abs(count - 10_000)).toBeLessThan(949);
});

test("pick and shuffle keep to what they were given", () => {
  const random = seededRandom(3);
  const items = ["a", "b", "c", "d"] as const;
  for (let n = 0; n < 100; n += 1) {
    expect(items).toContain(pick(random, items));
    expect(shuffle(random, items).toSorted()).toEqual(items);
    expect([0, 1, 2]).toContain(wholeBelow(random, 3));
  }
});

test("a failure names the seed that repeats it", async () => {
  await expect(
    withSeed(77, () => {
      throw new Error("wrong");
    }),
  ).rejects.toThrow("with seed 77: wrong");
});
