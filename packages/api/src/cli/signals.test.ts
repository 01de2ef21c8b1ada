import { expect, onTestFinished, test } from "vitest";
import { Signals } from "./signals.ts";

test("the same signal passed on by a package runner counts once, a later one ends the process", async () => {
  let nowMs = 0;
  const clock = {
    monotonicMs: () => nowMs,
    monotonicNs: () => BigInt(nowMs * 1_000_000),
    wallMs: () => nowMs,
    sleep: () => Promise.resolve(),
  };
  const exits: number[] = [];
  const signals = new Signals(clock, (code) => exits.push(code));
  onTestFinished(() => signals.close());
  process.emit("SIGTERM", "SIGTERM");
  expect(await signals.first).toBe("SIGTERM");
  nowMs = 900;
  process.emit("SIGTERM", "SIGTERM");
  expect(exits).toEqual([]);
  nowMs = 1_000;
  process.emit("SIGINT", "SIGINT");
  expect(exits).toEqual([130]);
});
