import { expect, test } from "vitest";
import { ManualClock } from "./manual-clock.ts";

test("advance ends sleeps in the order of their instants, each at exactly its instant", async () => {
  const clock = new ManualClock();
  const woken: [string, number][] = [];
  const sleep = async (name: string, delayMs: number): Promise<void> => {
    await clock.sleep(delayMs);
    woken.push([name, clock.monotonicMs()]);
  };
  const all = [sleep("late", 30), sleep("early", 10), sleep("same as early", 10)];
  await clock.advance(9);
  expect(woken).toEqual([]);
  await clock.advance(100);
  await Promise.all(all);
  expect(woken).toEqual([
    ["early", 10],
    ["same as early", 10],
    ["late", 30],
  ]);
  expect(clock.monotonicMs()).toBe(109);
});

test("a sleep begun by a woken sleeper ends within the same advance", async () => {
  const clock = new ManualClock();
  let ticks = 0;
  const loop = (async (): Promise<void> => {
    while (ticks < 5) {
      await clock.sleep(10);
      ticks += 1;
    }
  })();
  await clock.advance(50);
  await loop;
  expect(ticks).toBe(5);
  expect(clock.sleeping).toBe(0);
});

test("a jump is a pause: all that was due ends late, at the same instant", async () => {
  const clock = new ManualClock();
  const woken: number[] = [];
  const all = [10, 20].map(async (delayMs) => {
    await clock.sleep(delayMs);
    woken.push(clock.monotonicMs());
  });
  clock.jump(1_000);
  await Promise.all(all);
  expect(woken).toEqual([1_000, 1_000]);
});

test("wall time moves along, and alone when skewed", () => {
  const clock = new ManualClock({ monotonicMs: 5, wallMs: 100 });
  clock.jump(7);
  clock.skewWall(-50);
  expect([clock.monotonicMs(), clock.wallMs()]).toEqual([12, 57]);
});

test("an aborted sleep rejects with the reason and is forgotten", async () => {
  const clock = new ManualClock();
  const controller = new AbortController();
  const sleep = clock.sleep(10, controller.signal);
  controller.abort(new Error("enough"));
  await expect(sleep).rejects.toThrow("enough");
  await expect(clock.sleep(10, controller.signal)).rejects.toThrow("enough");
  expect(clock.sleeping).toBe(0);
});
