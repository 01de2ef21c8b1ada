import fc from "fast-check";
import { expect, test } from "vitest";
import type { Clock } from "../model/clock.ts";
import { ManualClock } from "../testing/manual-clock.ts";
import { Validity } from "./validity.ts";

const BOUND_MS = 1000;

test("nothing is valid before the first proof", () => {
  expect(new Validity(new ManualClock(), BOUND_MS).holds()).toBe(false);
});

test("a proof holds from when it was asked for, not from when it was answered", () => {
  const clock = new ManualClock();
  const validity = new Validity(clock, BOUND_MS);
  const sentAtMs = clock.monotonicMs();
  clock.jump(900);
  validity.prove(sentAtMs);
  expect(validity.holds()).toBe(true);
  clock.jump(100);
  expect(validity.holds()).toBe(false);
});

test("a copy is never served at the deadline or after it, and is until a nanosecond or two before", () => {
  const ms = (max: number): fc.Arbitrary<number> => fc.double({ min: 0, max, noNaN: true });
  fc.assert(
    fc.property(ms(1e9), ms(3000), ms(3000), (sentAtMs, answeredAfterMs, readAfterMs) => {
      const clock = new ManualClock({ monotonicMs: sentAtMs });
      const validity = new Validity(clock, BOUND_MS);
      clock.jump(answeredAfterMs);
      validity.prove(sentAtMs);
      clock.jump(readAfterMs);
      const leftMs = sentAtMs + BOUND_MS - clock.monotonicMs();
      if (leftMs <= 0) expect(validity.holds()).toBe(false);
      if (leftMs > 1e-5) expect(validity.holds()).toBe(true);
    }),
  );
});

test("a pause between two readings of the clock makes the deadline earlier, never later", () => {
  const clock = new ManualClock();
  const pausing: Clock = {
    monotonicMs: () => {
      clock.jump(200);
      return clock.monotonicMs();
    },
    monotonicNs: () => {
      clock.jump(200);
      return clock.monotonicNs();
    },
    wallMs: () => clock.wallMs(),
    sleep: (delayMs, signal) => clock.sleep(delayMs, signal),
  };
  const validity = new Validity(pausing, BOUND_MS);
  validity.prove(0);
  clock.jump(500);
  expect([validity.holds(), clock.monotonicMs()]).toEqual([false, 1100]);
});

test("a pause of any length ends validity at once, without a timer", () => {
  const clock = new ManualClock();
  const validity = new Validity(clock, BOUND_MS);
  validity.prove(clock.monotonicMs());
  clock.jump(3_600_000);
  expect(validity.holds()).toBe(false);
});

test("an answer that comes late never shortens what a later question proved", () => {
  const clock = new ManualClock();
  const validity = new Validity(clock, BOUND_MS);
  validity.prove(500);
  validity.prove(100);
  expect(validity.remainingMs()).toBe(1500);
});

test("one read may take a wider or a narrower bound", () => {
  const clock = new ManualClock();
  const validity = new Validity(clock, BOUND_MS);
  validity.prove(clock.monotonicMs());
  clock.jump(1500);
  expect([validity.holds(), validity.holdsWithin(2000), validity.holdsWithin(1500)]).toEqual([
    false,
    true,
    false,
  ]);
});

test("where no other process can write, copies are always current and of age 0", () => {
  const clock = new ManualClock();
  const validity = new Validity(clock, BOUND_MS);
  validity.proveForever();
  clock.jump(10_000_000);
  expect([validity.holds(), validity.ageMs(), validity.holdsWithin(1)]).toEqual([true, 0, true]);
});
