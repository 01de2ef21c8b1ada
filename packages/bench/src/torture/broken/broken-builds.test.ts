import { postgresAvailable, redisAvailable } from "@cherry-ai/services";
import { describe, expect, test } from "vitest";
import { runTorture } from "../run.ts";
import { SCENARIOS, optionsOf } from "./scenarios.ts";

const missing = postgresAvailable() ?? redisAvailable();

// Most of a run is waiting: several at once take little longer than one.
describe.skipIf(missing !== undefined)("the checker", { concurrent: true }, () => {
  for (const scenario of SCENARIOS) {
    test(`finds nothing wrong with the product under ${scenario.name}`, async () => {
      const { violations, examples, problems } = await runTorture(optionsOf(scenario));
      const total = Object.values(violations).reduce((sum, count) => sum + count, 0);
      expect({ total, examples, problems }).toEqual({ total: 0, examples: [], problems: [] });
    });

    for (const [broken, kinds] of Object.entries(scenario.broken))
      test(`catches ${broken} under ${scenario.name}`, async () => {
        const { violations } = await runTorture(optionsOf(scenario, broken));
        const caught = kinds.reduce((sum, kind) => sum + violations[kind], 0);
        expect({ caught: caught > 0, violations }).toMatchObject({ caught: true });
      });
  }
});
