import { expect, test } from "vitest";
import { Doorkeeper } from "./promotion.ts";

test("an item is admitted at its second sighting", () => {
  const doorkeeper = new Doorkeeper();
  expect([doorkeeper.admits(41), doorkeeper.admits(41)]).toEqual([false, true]);
});

test("what was hot long ago has to prove itself again", () => {
  const doorkeeper = new Doorkeeper(4);
  for (let sighting = 0; sighting < 3; sighting += 1) doorkeeper.admits(1);
  for (let version = 2; version < 200_000; version += 1) doorkeeper.admits(version);
  expect(doorkeeper.admits(1)).toBe(false);
});

test("a scan of many items once admits few of them", () => {
  const doorkeeper = new Doorkeeper();
  let admitted = 0;
  for (let version = 1; version <= 10_000; version += 1)
    if (doorkeeper.admits(version)) admitted += 1;
  expect(admitted).toBeLessThan(1_500);
});
