import { describe, expect, test } from "vitest";
import { BREAKS, leasesIgnored } from "./broken.ts";
import type { Break } from "./broken.ts";
import { runSeed } from "./run-seed.ts";

const SEEDS = 500;
/** A broken part must show within so many seeds; measured: most within five. */
const SEEDS_TO_CATCH_MAX = 200;

describe("servers over a simulated database, Redis and network", () => {
  test(`nothing is violated in ${SEEDS} seeds`, async () => {
    const found: string[] = [];
    const totals = { behind: 0, copies: 0 };
    for (let seed = 1; seed <= SEEDS; seed += 1) {
      const report = await runSeed(seed);
      for (const { kind, text } of report.violations) found.push(`seed ${seed}: ${kind}: ${text}`);
      totals.behind += report.behind;
      totals.copies += report.copies;
    }
    expect(found).toEqual([]);
    // Otherwise nothing was put to the test: copies must have answered, and some must have been old.
    expect(totals.copies).toBeGreaterThan(SEEDS);
    expect(totals.behind).toBeGreaterThan(SEEDS);
  });

  test("a seed is the same each time", async () => {
    const traceOf = async (): Promise<string[]> => {
      const lines: string[] = [];
      await runSeed(7, { trace: (line) => lines.push(line) });
      return lines;
    };
    const once = await traceOf();
    expect(once.length).toBeGreaterThan(300);
    expect(await traceOf()).toEqual(once);
  });
});

async function seedsUntilCaught({ apply, prepare, trial }: Break): Promise<number | undefined> {
  const restore = apply();
  try {
    for (let seed = 1; seed <= SEEDS_TO_CATCH_MAX; seed += 1) {
      const { violations } = await runSeed(seed, {
        prepare: (world) => {
          prepare?.(world);
          trial?.(world);
        },
      });
      if (violations.length > 0) return seed;
    }
    return undefined;
  } finally {
    restore();
  }
}

test("without leases in the shared tier nothing wrong is shown: they only save work", async () => {
  expect(await seedsUntilCaught({ apply: leasesIgnored })).toBeUndefined();
});

describe("the checker catches", () => {
  for (const [name, broken] of Object.entries(BREAKS)) {
    test(name, async () => {
      expect(await seedsUntilCaught(broken)).toBeDefined();
    });

    const { trial } = broken;
    if (trial === undefined) continue;
    test(`${name}, and nothing in what is right under the same trial`, async () => {
      expect(await seedsUntilCaught({ apply: () => () => {}, trial })).toBeUndefined();
    });
  }
});
