import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { EVICTION_POLICIES } from "./make-policy.ts";
import type { EvictionPolicy } from "./policy.ts";

const SLOTS = 8;
type Step = readonly ["insert" | "hit" | "remove" | "evict" | "clear", number];

const steps = fc.array(
  fc.tuple(
    fc.constantFrom("insert", "insert", "hit", "hit", "hit", "hit", "remove", "evict", "clear"),
    fc.nat(SLOTS - 1),
  ) as fc.Arbitrary<Step>,
  { maxLength: 400, size: "max" },
);

/** The same decisions from plain arrays, slowly. */
interface Model {
  insert(slot: number): void;
  hit(slot: number): void;
  remove(slot: number): void;
  victim(): number;
}

function lruModel(): Model {
  let order: number[] = [];
  const remove = (slot: number): void => {
    order = order.filter((other) => other !== slot);
  };
  return {
    insert: (slot) => order.push(slot),
    hit: (slot) => {
      remove(slot);
      order.push(slot);
    },
    remove,
    victim: () => order[0] ?? -1,
  };
}

/** Level n is reached after 1 + 2 + … + 2^(n-1) hits; all levels fall by one every 8 uses an item. */
function lfuModel(): Model {
  let levels: number[][] = Array.from({ length: 8 }, () => []);
  const counts = new Map<number, number>();
  let uses = 0;
  const use = (): void => {
    uses += 1;
    if (uses < counts.size * 8) return;
    uses = 0;
    const [lowest = [], next = [], ...rest] = levels;
    levels = [[...lowest, ...next], ...rest, []];
  };
  const levelOf = (slot: number): number => levels.findIndex((list) => list.includes(slot));
  const remove = (slot: number): void => {
    levels = levels.map((list) => list.filter((other) => other !== slot));
    counts.delete(slot);
  };
  return {
    insert: (slot) => {
      levels[0]?.push(slot);
      counts.set(slot, 0);
      use();
    },
    hit: (slot) => {
      const level = levelOf(slot);
      const count = (counts.get(slot) ?? 0) + 1;
      const rises = count >= 2 ** level && level < 7;
      remove(slot);
      levels[rises ? level + 1 : level]?.push(slot);
      counts.set(slot, rises ? 0 : count);
      use();
    },
    remove,
    victim: () => levels.flat()[0] ?? -1,
  };
}

function play(policy: EvictionPolicy, makeModel: () => Model, script: readonly Step[]): void {
  let model = makeModel();
  const filled = new Set<number>();
  const empty = (slot: number): void => {
    policy.removed(slot);
    model.remove(slot);
    filled.delete(slot);
  };
  for (const [action, slot] of script) {
    if (action === "clear" && slot === 0) {
      policy.clear();
      model = makeModel();
      filled.clear();
    } else if (action === "insert" && !filled.has(slot)) {
      policy.inserted(slot, 100, slot);
      model.insert(slot);
      filled.add(slot);
    } else if (action === "hit" && filled.has(slot)) {
      policy.hit(slot);
      model.hit(slot);
    } else if (action === "remove" && filled.has(slot)) empty(slot);
    else if (action === "evict" && filled.size > 0) empty(policy.victim());
    expect(policy.victim()).toBe(model.victim());
  }
}

test("LRU lets go of what was not read for longest", () => {
  fc.assert(
    fc.property(steps, (script) => play(EVICTION_POLICIES.lru(SLOTS), lruModel, script)),
    { numRuns: 300 },
  );
});

test("LFU decides as its description says", () => {
  fc.assert(
    fc.property(steps, (script) => play(EVICTION_POLICIES.lfu(SLOTS), lfuModel, script)),
    { numRuns: 300 },
  );
});

describe("LFU", () => {
  test("what is read now and then outlives any number of newcomers", () => {
    const policy = EVICTION_POLICIES.lfu(10);
    policy.inserted(0, 1, 0);
    for (let round = 0; round < 1000; round += 1) {
      const slot = 1 + (round % 9);
      if (round >= 9) {
        expect(policy.victim()).toBe(slot);
        policy.removed(slot);
      }
      policy.inserted(slot, 1, round);
      if (round % 20 === 0) policy.hit(0);
    }
  });

  test("favourites nobody asks for fade while everything read is new", () => {
    const policy = EVICTION_POLICIES.lfu(10);
    for (let slot = 0; slot < 10; slot += 1) policy.inserted(slot, 1, slot);
    for (let hit = 0; hit < 1000; hit += 1) policy.hit(hit % 5);
    const evicted = new Set<number>();
    for (let round = 0; round < 1000; round += 1) {
      const slot = policy.victim();
      evicted.add(slot);
      policy.removed(slot);
      policy.inserted(slot, 1, round);
    }
    expect(evicted.size).toBe(10);
  });

  test("what was read often long ago goes in the end", () => {
    const policy = EVICTION_POLICIES.lfu(3);
    for (const slot of [0, 1, 2]) policy.inserted(slot, 1, slot);
    for (let hit = 0; hit < 1000; hit += 1) policy.hit(0);
    policy.hit(1);
    expect(policy.victim()).toBe(2);
    for (let hit = 0; hit < 1000; hit += 1) {
      policy.hit(1);
      policy.hit(2);
    }
    expect(policy.victim()).toBe(0);
  });
});
