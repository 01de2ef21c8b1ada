import type { Random } from "../model/clock.ts";

const UINT32 = 2 ** 32;

/** The same numbers for the same seed, on every machine (mulberry32). */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / UINT32;
  };
}

/** A whole number from 0 to `bound` - 1. */
export function wholeBelow(random: Random, bound: number): number {
  return Math.floor(random() * bound);
}

/** One of a list that must not be empty. */
export function pick<T>(random: Random, items: readonly [T, ...T[]]): T {
  return items[wholeBelow(random, items.length)] ?? items[0];
}

/** A new list with the same members in random order (Fisher-Yates). */
export function shuffle<T>(random: Random, items: readonly T[]): T[] {
  const rest = [...items];
  const shuffled: T[] = [];
  while (rest.length > 0) shuffled.push(...rest.splice(wholeBelow(random, rest.length), 1));
  return shuffled;
}

/** Runs `work` with seeded randomness; a failure names the seed that repeats it. */
export async function withSeed(
  seed: number,
  work: (random: Random) => Promise<void> | void,
): Promise<void> {
  try {
    await work(seededRandom(seed));
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`with seed ${seed}: ${message}`, { cause });
  }
}
