import { postgresAvailable, redisAvailable, startPostgres } from "@cherry-ai/services";
import type { PostgresServer } from "@cherry-ai/services";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ViolationCounts } from "../checker/checker.ts";
import { runTorture } from "../run.ts";
import { SCENARIOS, optionsOf } from "./scenarios.ts";
import type { Scenario } from "./scenarios.ts";

const missing = postgresAvailable() ?? redisAvailable();
/** A hole shows where operations meet; on a busy machine few do, so there are further chances. */
const SEEDS = [7, 8, 9, 10] as const;
/** Most of a run is waiting: two at once take little longer than one. */
const AT_ONCE = 2;
const TIMEOUT_MS = 900_000;

let postgres: PostgresServer;
let running = 0;
const waiting: (() => void)[] = [];

async function inTurn<T>(work: () => Promise<T>): Promise<T> {
  if (running === AT_ONCE) await new Promise<void>((resolve) => waiting.push(resolve));
  else running += 1;
  try {
    return await work();
  } finally {
    const next = waiting.shift();
    if (next === undefined) running -= 1;
    else next();
  }
}

/** The violations of the first run that shows one of these kinds, or of the last. */
async function violationsOf(scenario: Scenario, broken: string): Promise<ViolationCounts> {
  const kinds = scenario.broken[broken] ?? [];
  for (const [index, seed] of SEEDS.entries()) {
    const { violations } = await runTorture(optionsOf(scenario, { postgres, seed }, broken));
    if (index === SEEDS.length - 1 || kinds.some((kind) => violations[kind] > 0)) return violations;
  }
  throw new Error("there is no seed");
}

describe.skipIf(missing !== undefined)("the checker", { concurrent: true }, () => {
  beforeAll(async () => {
    postgres = await startPostgres();
  });

  afterAll(async () => {
    await postgres.remove();
  });

  for (const scenario of SCENARIOS) {
    test(
      `finds nothing wrong with the product under ${scenario.name}`,
      { timeout: TIMEOUT_MS },
      () =>
        inTurn(async () => {
          const options = optionsOf(scenario, { postgres });
          const { violations, examples } = await runTorture(options);
          const total = Object.values(violations).reduce((sum, count) => sum + count, 0);
          expect({ total, examples }).toEqual({ total: 0, examples: [] });
        }),
    );

    for (const [broken, kinds] of Object.entries(scenario.broken))
      test(`catches ${broken} under ${scenario.name}`, { timeout: TIMEOUT_MS }, () =>
        inTurn(async () => {
          const violations = await violationsOf(scenario, broken);
          const caught = kinds.some((kind) => violations[kind] > 0);
          expect({ caught, violations }).toMatchObject({ caught: true });
        }),
      );
  }
});
