import { describe, expect, test } from "vitest";
import { noMetrics } from "../metrics/metrics.ts";
import { ManualClock } from "../testing/manual-clock.ts";
import { AccessLog } from "./access-log.ts";
import { MoveLog } from "./move-log.ts";
import { SingleFlight } from "./single-flight.ts";

const ref = (key: string): { namespace: string; key: string } => ({ namespace: "n", key });

describe("AccessLog", () => {
  test("counts reads and remembers the last", () => {
    const clock = new ManualClock();
    const log = new AccessLog(clock);
    log.record(ref("a"));
    clock.jump(500);
    log.record(ref("a"));
    expect(log.read(ref("a"))).toEqual({ count: 2, atMs: clock.wallMs() });
    expect(log.read(ref("b"))).toBeUndefined();
  });

  test("forgets what was not read for long, keeps the counts of the rest, and stays bounded", () => {
    const log = new AccessLog(new ManualClock(), 4);
    for (const key of ["a", "b", "a", "c", "a", "d", "e"]) log.record(ref(key));
    const counts = ["a", "b", "c", "d", "e"].map((key) => log.read(ref(key))?.count);
    expect(counts).toEqual([3, undefined, 1, 1, 1]);
  });

  test("sampled hits add up to about as many as there were", () => {
    const log = new AccessLog(new ManualClock());
    for (let hit = 0; hit < 640; hit += 1) log.recordHot(ref("a"));
    expect(log.read(ref("a"))?.count).toBe(640);
  });
});

describe("MoveLog", () => {
  const up = { from: "l1", to: "l0", direction: "promote", reason: "read" } as const;
  const down = { from: "l0", to: "l1", direction: "demote", reason: "pressure" } as const;

  test("counts both ways and gives one item's moves, oldest first", () => {
    const log = new MoveLog(new ManualClock(), noMetrics);
    log.record(ref("a"), up);
    log.record(ref("b"), up);
    log.record(ref("a"), down);
    expect([log.promoted, log.demoted]).toEqual([2, 1]);
    expect(log.of(ref("a")).map(({ direction }) => direction)).toEqual(["promote", "demote"]);
  });

  test("keeps the last moves only, still in order", () => {
    const log = new MoveLog(new ManualClock(), noMetrics);
    log.record(ref("a"), up);
    for (let move = 0; move < 2000; move += 1) log.record(ref("b"), up);
    log.record(ref("a"), down);
    expect(log.of(ref("a")).map(({ direction }) => direction)).toEqual(["demote"]);
  });
});

describe("SingleFlight", () => {
  test("calls that meet share one run and its failure; the next call runs again", async () => {
    const flights = new SingleFlight();
    let runs = 0;
    const fail = async (): Promise<never> => {
      runs += 1;
      await Promise.resolve();
      throw new Error("no");
    };
    const met = [flights.run("a", fail), flights.run("a", fail)];
    expect(met.map(({ joined }) => joined)).toEqual([false, true]);
    const outcomes = await Promise.allSettled(met.map(({ answer }) => answer));
    expect(outcomes.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    expect([runs, flights.size]).toEqual([1, 0]);
    const next = flights.run("a", () => Promise.resolve(7));
    expect(next.joined).toBe(false);
    await expect(next.answer).resolves.toBe(7);
  });
});
