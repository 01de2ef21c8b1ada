import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { JsonValue, ObjectRecord } from "../../model/item.ts";
import { ManualClock } from "../../testing/manual-clock.ts";
import { recordBytes } from "./heap-estimate.ts";
import { HotTier } from "./hot-tier.ts";

function record(
  key: string,
  version = 1,
  value: JsonValue = "v",
  deadlineMs = Infinity,
): ObjectRecord {
  return {
    namespace: "",
    key,
    version,
    metadata: {},
    tags: [],
    createdAtMs: 1,
    updatedAtMs: 2,
    expiresAtMs: undefined,
    deadlineMs,
    value,
    sizeBytes: 3,
  };
}

function open(maxItems: number, maxBytes = 1_000_000): { tier: HotTier; demoted: string[] } {
  const tier = new HotTier({ maxBytes, maxItems, clock: new ManualClock() });
  const demoted: string[] = [];
  tier.onDemotion(({ key }) => demoted.push(key));
  return { tier, demoted };
}

describe("HotTier", () => {
  test("gives back the very record, without a copy", () => {
    const { tier } = open(10);
    const offered = record("k");
    tier.offer(offered);
    expect(tier.find("", "k")).toBe(offered);
  });

  test("what was read is spared once, until the hand comes round again", () => {
    const { tier, demoted } = open(3);
    for (const key of ["a", "b", "c"]) tier.offer(record(key));
    tier.find("", "a");
    tier.offer(record("d"));
    tier.offer(record("e"));
    expect(demoted).toEqual(["b", "c"]);
    tier.find("", "d");
    tier.find("", "e");
    tier.offer(record("f"));
    expect(demoted).toEqual(["b", "c", "a"]);
  });

  test("a scan does not push out what is read all the time", () => {
    const { tier } = open(100);
    for (let n = 0; n < 50; n += 1) tier.offer(record(`hot${n}`));
    for (let n = 0; n < 5000; n += 1) {
      tier.offer(record(`cold${n}`));
      tier.find("", `hot${n % 50}`);
    }
    for (let n = 0; n < 50; n += 1) expect(tier.find("", `hot${n}`)).toBeDefined();
  });

  test("agrees with a list under random operations", () => {
    const action = fc.tuple(fc.constantFrom("offer", "offer", "find", "drop"), fc.nat(7));
    fc.assert(
      fc.property(
        fc.array(action, { maxLength: 200, size: "max" }),
        fc.integer({ min: 1, max: 5 }),
        (actions, maxItems) => {
          const { tier, demoted } = open(maxItems);
          // Oldest first; `hand` is the place from which the next victim is looked for.
          let list: { key: string; visited: boolean }[] = [];
          let hand = 0;
          const remove = (at: number): void => {
            list = list.toSpliced(at, 1);
            if (at < hand) hand -= 1;
            if (hand >= list.length) hand = 0;
          };
          const expected: string[] = [];
          for (const [version, [kind, number]] of actions.entries()) {
            const key = `k${number}`;
            const at = list.findIndex((entry) => entry.key === key);
            if (kind === "find") {
              expect(tier.find("", key)?.key).toBe(list[at]?.key);
              const entry = list[at];
              if (entry !== undefined) entry.visited = true;
            } else if (kind === "drop") {
              expect(tier.drop("", key, Infinity)).toBe(at >= 0);
              if (at >= 0) remove(at);
            } else {
              tier.offer(record(key, version + 1));
              if (at >= 0) remove(at);
              if (list.length >= maxItems) {
                if (hand >= list.length) hand = 0;
                for (let entry = list[hand]; entry?.visited === true; entry = list[hand]) {
                  entry.visited = false;
                  hand = (hand + 1) % list.length;
                }
                expected.push(list[hand]?.key ?? "");
                remove(hand);
              }
              list.push({ key, visited: false });
            }
            expect(demoted).toEqual(expected);
            expect(tier.usage().items).toBe(list.length);
            expect(tier.usage().bytes).toBe(
              list.reduce((sum, entry) => sum + recordBytes(record(entry.key)), 0),
            );
          }
        },
      ),
      { numRuns: 500 },
    );
  });

  test("the namespace used last is not remembered beyond its end", () => {
    const { tier } = open(10);
    expect(tier.find("", "k")).toBeUndefined();
    tier.offer(record("k"));
    expect(tier.find("", "k")).toBeDefined();
    tier.dropNamespace("", false);
    expect(tier.find("", "k")).toBeUndefined();
    tier.offer(record("k", 2));
    expect(tier.find("", "k")?.version).toBe(2);
  });
});

test("the estimate grows with what the heap holds, not with the text", () => {
  const empty = recordBytes(record("k", 1, []));
  const objects = recordBytes(
    record(
      "k",
      1,
      Array.from({ length: 1000 }, () => ({})),
    ),
  );
  expect(objects - empty).toBeGreaterThan(50_000);
  expect(recordBytes(record("k", 1, "x".repeat(5000))) - empty).toBeGreaterThan(4900);
});
