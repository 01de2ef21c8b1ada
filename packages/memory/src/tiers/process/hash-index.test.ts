import fc from "fast-check";
import { expect, test } from "vitest";
import { HashIndex } from "./hash-index.ts";

const SLOTS = 4000;

/** An index over made-up keys whose hashes the test chooses. */
function openIndex(): {
  readonly index: HashIndex;
  readonly add: (slot: number, key: string, hash: number) => void;
  readonly remove: (slot: number) => void;
  readonly find: (key: string, hash: number) => number;
} {
  const hashes = new Uint32Array(SLOTS);
  const keys: (string | undefined)[] = [];
  const index = new HashIndex(hashes, { matches: (slot, _, key) => keys[slot] === key });
  return {
    index,
    add: (slot, key, hash) => {
      hashes[slot] = hash;
      keys[slot] = key;
      index.insert(slot);
    },
    remove: (slot) => {
      index.remove(slot);
      keys[slot] = undefined;
    },
    find: (key, hash) => index.find(hash, 0, key),
  };
}

test("agrees with a map while it grows and shrinks, also when most hashes collide", () => {
  const script = fc.array(fc.tuple(fc.nat(9), fc.nat(SLOTS - 1)), {
    minLength: 3000,
    maxLength: 6000,
  });
  const spread = fc.constantFrom(1, 7, 4096, 2 ** 32);
  fc.assert(
    fc.property(script, spread, (actions, hashesMax) => {
      const { add, remove, find } = openIndex();
      const hashOf = (slot: number): number => (Math.imul(slot, 0x9e37_79b1) >>> 0) % hashesMax;
      const present = new Set<number>();
      for (const [action, slot] of actions) {
        if (present.has(slot) && action > 6) {
          remove(slot);
          present.delete(slot);
        } else if (!present.has(slot) && (hashesMax > 7 || present.size < 200)) {
          add(slot, `k${slot}`, hashOf(slot));
          present.add(slot);
        }
        expect(find(`k${slot}`, hashOf(slot))).toBe(present.has(slot) ? slot : -1);
      }
      for (let slot = 0; slot < SLOTS; slot += 1)
        if (find(`k${slot}`, hashOf(slot)) !== (present.has(slot) ? slot : -1))
          throw new Error(`slot ${slot}`);
    }),
    { numRuns: 25 },
  );
});

test("all is found at every step of a move to a larger table", () => {
  const { add, find } = openIndex();
  const FULL = 768;
  // Neighbouring homes make one long run of places, and each move cuts it somewhere.
  const hashOf = (slot: number): number => slot >>> 2;
  for (let slot = 0; slot < FULL + 80; slot += 1) {
    add(slot, `k${slot}`, hashOf(slot));
    if (slot < FULL - 1) continue;
    for (let other = 0; other <= slot; other += 1)
      if (find(`k${other}`, hashOf(other)) !== other) throw new Error(`slot ${other} at ${slot}`);
  }
});

test("clear forgets all, and filling again works", () => {
  const { index, add, find } = openIndex();
  for (let slot = 0; slot < SLOTS; slot += 1) add(slot, `k${slot}`, slot * 31);
  index.clear();
  expect(find("k5", 5 * 31)).toBe(-1);
  for (let slot = 0; slot < SLOTS; slot += 1) add(slot, `k${slot}`, slot * 31);
  expect(find("k5", 5 * 31)).toBe(5);
});
