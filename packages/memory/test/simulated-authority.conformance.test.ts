import { afterAll, describe, expect, test } from "vitest";
import { authoritySuite } from "../src/testing/index.ts";
import { AuthorityHarness } from "./simulation/authority-harness.ts";

/** Of the suite's cases: the others search, forget, export or keep receipts, which managers there do not. */
const CASES_MIN = 65;

// What the simulation takes for PostgreSQL must do what the real authority does.
describe("simulated", () => {
  const harness = new AuthorityHarness();
  afterAll(() => harness.stop());
  const { name: suiteName, cases } = authoritySuite("SimulatedAuthority", async () => ({
    authority: harness.authority,
    close: async () => {},
  }));
  const beyond: string[] = [];

  for (const { name, run } of cases)
    test(`${suiteName}: ${name}`, async () => {
      try {
        await run();
      } catch (error) {
        if (!String(error).includes("the simulated database")) throw error;
        beyond.push(name);
      }
    });

  test("most cases are within what it can do", () => {
    expect(cases.length - beyond.length).toBeGreaterThanOrEqual(CASES_MIN);
  });
});
