import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ManualClock } from "../testing/manual-clock.ts";
import { covers, horizonOf } from "./horizon.ts";
import { seededRandom } from "../testing/seeded-random.ts";
import { ItemHash } from "./item-hash.ts";
import { RecentFills } from "./recent-fills.ts";

const hash = new ItemHash(seededRandom(1));
const BOUND_MS = 1000;

function poll(
  sentAtMs: number,
  place: number,
  epoch = "one",
): Parameters<RecentFills["applied"]>[0] {
  return { sentAtMs, epoch, snapshot: `${place}:${place}:`, settled: place, unborn: place };
}

const item = (key: string): { namespace: string; key: string } => ({ namespace: "a", key });

describe("RecentFills", () => {
  test("what was filled since the covered poll was sent is known, whatever the order of polls and fills", () => {
    const steps = fc.array(
      fc.record({
        kind: fc.constantFrom("fill", "fill", "send", "apply", "other epoch"),
        afterMs: fc.nat(600),
        key: fc.constantFrom("a", "b", "c", "d"),
      }),
      { maxLength: 80 },
    );
    fc.assert(
      fc.property(steps, (list) => {
        const clock = new ManualClock();
        const fills = new RecentFills({ hash, clock, boundMs: BOUND_MS });
        const filled: { key: string; place: number }[] = [];
        let place = 1;
        let epoch = 1;
        let sent: Parameters<RecentFills["applied"]>[0] | undefined;
        for (const { kind, afterMs, key } of list) {
          clock.jump(afterMs);
          place += 1;
          if (kind === "fill") {
            fills.record(item(key));
            filled.push({ key, place });
          } else if (kind === "other epoch") epoch += 1;
          else if (kind === "send") sent ??= poll(clock.monotonicMs(), place, String(epoch));
          else if (sent !== undefined) {
            fills.applied(sent);
            sent = undefined;
          }
          const covered = fills.covered;
          for (const fill of filled)
            // Filled after the covered poll was sent: it may show more.
            if (covered !== undefined && fill.place > covered.end)
              expect(fills.has(item(fill.key))).toBe(true);
        }
      }),
    );
  });

  test("a copy that has lain for three generations shows no more than a place that every server has passed", () => {
    const clock = new ManualClock();
    const fills = new RecentFills({ hash, clock, boundMs: BOUND_MS });
    expect(fills.has(item("k"))).toBe(true);
    fills.applied(poll(clock.monotonicMs(), 1));
    expect(fills.has(item("k"))).toBe(false);
    fills.record(item("k"));
    let place = 1;
    for (let ms = 0; ms < 1500; ms += 250) {
      expect(fills.has(item("k"))).toBe(true);
      clock.jump(250);
      place += 1;
      fills.applied(poll(clock.monotonicMs(), place));
    }
    clock.jump(250);
    fills.applied(poll(clock.monotonicMs(), place));
    expect(fills.has(item("k"))).toBe(false);
    const halfBoundAgo = horizonOf(`${place - 2}:${place - 2}:`);
    expect(fills.covered !== undefined && covers(halfBoundAgo, fills.covered)).toBe(true);
  });

  test("a place of another epoch is never given", () => {
    const clock = new ManualClock();
    const fills = new RecentFills({ hash, clock, boundMs: BOUND_MS });
    fills.applied(poll(0, 900));
    clock.jump(10);
    fills.applied(poll(10, 5, "two"));
    expect(fills.covered).toEqual({ end: 5, open: [] });
  });

  test("more fills than are remembered stand for every item, until they are old", () => {
    const clock = new ManualClock();
    const fills = new RecentFills({ hash, clock, boundMs: BOUND_MS, fillsMax: 2 });
    fills.applied(poll(0, 1));
    fills.record(item("a"));
    expect(fills.has(item("z"))).toBe(false);
    fills.record(item("b"));
    expect(fills.has(item("z"))).toBe(true);
    for (let at = 0; at < 4; at += 1) {
      clock.jump(BOUND_MS);
      fills.applied(poll(clock.monotonicMs(), at + 2));
    }
    expect(fills.has(item("z"))).toBe(false);
  });
});
