import { describe, expect, test } from "vitest";
import { MemoryError } from "../model/errors.ts";
import { ManualClock } from "../testing/manual-clock.ts";
import { Gate } from "./gate.ts";

function gate(clock: ManualClock, permits = 1, waitersMax = 2): Gate {
  return new Gate({
    clock,
    permits,
    waitersMax,
    waitTimeoutMs: 100,
    refuse: (why) => new MemoryError("STORE_UNAVAILABLE", why),
  });
}

describe("Gate", () => {
  test("lets in as many as it may, then the longest waiter first", async () => {
    const doors = gate(new ManualClock());
    const order: string[] = [];
    await doors.enter();
    const first = doors.enter().then(() => order.push("first"));
    const second = doors.enter().then(() => order.push("second"));
    expect(doors.tryEnter()).toBe(false);
    doors.leave();
    await first;
    expect(order).toEqual(["first"]);
    doors.leave();
    await second;
    doors.leave();
    expect(doors.tryEnter()).toBe(true);
  });

  test("a wait ends at its bound, and its place is not given away later", async () => {
    const clock = new ManualClock();
    const doors = gate(clock);
    await doors.enter();
    const waiting = doors.enter();
    const refused = expect(waiting).rejects.toThrow("none became free within 100 ms");
    await clock.advance(100);
    await refused;
    doors.leave();
    expect(doors.tryEnter()).toBe(true);
    expect(doors.tryEnter()).toBe(false);
  });

  test("refuses at once when too many wait", async () => {
    const doors = gate(new ManualClock());
    await doors.enter();
    const waiting = [doors.enter(), doors.enter()];
    await expect(doors.enter()).rejects.toThrow("2 calls are waiting already");
    doors.rejectWaiters(new MemoryError("CLOSED", "closed"));
    for (const each of await Promise.allSettled(waiting)) expect(each.status).toBe("rejected");
  });
});
