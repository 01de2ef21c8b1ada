import { describe, expect, test } from "vitest";
import { ManualClock } from "../testing/manual-clock.ts";
import { Breaker } from "./breaker.ts";
import type { BreakerState } from "./breaker.ts";

interface Bench {
  readonly breaker: Breaker;
  readonly clock: ManualClock;
  readonly states: BreakerState[];
}

/** Chance is 1 as good as: pauses are exactly as long as they may be. */
function bench(): Bench {
  const clock = new ManualClock();
  const states: BreakerState[] = [];
  const breaker = new Breaker({
    name: "the store",
    clock,
    random: () => 1,
    failuresMax: 3,
    openMs: 100,
    openMaxMs: 400,
    onState: (state) => states.push(state),
  });
  return { breaker, clock, states };
}

function fail(breaker: Breaker, times: number): void {
  for (let left = times; left > 0; left--) breaker.failure(new Error("away"));
}

describe("Breaker", () => {
  test("stays closed while failures do not follow each other", () => {
    const { breaker, states } = bench();
    for (let round = 0; round < 5; round++) {
      fail(breaker, 2);
      breaker.success();
    }
    breaker.admit();
    expect(states).toEqual([]);
  });

  test("opens after so many failures in a row and then refuses at once, with the cause", () => {
    const { breaker, states } = bench();
    fail(breaker, 3);
    expect(() => breaker.admit()).toThrow(
      expect.objectContaining({
        code: "STORE_UNAVAILABLE",
        cause: expect.objectContaining({ message: "away" }),
      }),
    );
    expect(states).toEqual(["open"]);
  });

  test("lets exactly one trial through after the pause", async () => {
    const { breaker, clock, states } = bench();
    fail(breaker, 3);
    await clock.advance(99);
    expect(() => breaker.admit()).toThrow("did not answer lately");
    await clock.advance(1);
    breaker.admit();
    expect(() => breaker.admit()).toThrow("did not answer lately");
    breaker.success();
    breaker.admit();
    expect(states).toEqual(["open", "half-open", "closed"]);
  });

  test("doubles the pause with each failed trial, up to its bound, and starts small again", async () => {
    const { breaker, clock } = bench();
    fail(breaker, 3);
    for (const pauseMs of [100, 200, 400, 400]) {
      await clock.advance(pauseMs - 1);
      expect(() => breaker.admit()).toThrow("did not answer lately");
      await clock.advance(1);
      breaker.admit();
      fail(breaker, 1);
    }
    await clock.advance(400);
    breaker.admit();
    breaker.success();
    fail(breaker, 3);
    await clock.advance(100);
    expect(() => breaker.admit()).not.toThrow();
  });

  test("a trial that never tells its outcome does not shut it for good", async () => {
    const { breaker, clock } = bench();
    fail(breaker, 3);
    await clock.advance(100);
    breaker.admit();
    await clock.advance(200);
    expect(() => breaker.admit()).not.toThrow();
  });

  test("a wall clock set back by an hour does not keep it open", async () => {
    const { breaker, clock } = bench();
    fail(breaker, 3);
    clock.skewWall(-3_600_000);
    await clock.advance(100);
    expect(() => breaker.admit()).not.toThrow();
  });
});
