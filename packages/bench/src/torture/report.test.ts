import { expect, test } from "vitest";
import { countViolations } from "./checker/checker.ts";
import type { Violation } from "./checker/violation.ts";
import { FAULTS } from "./faults/faults.ts";
import { formatReport } from "./format.ts";
import { judge } from "./report.ts";
import type { TortureReport } from "./report.ts";
import type { TortureOptions } from "./torture-options.ts";
import { Tally } from "./workload/tally.ts";
import { MIX } from "./workload/worker.ts";

const KINDS =
  "any quiet present absent latest peek getMany set setWithTtl delete forget clear batch increment getOrSet session".split(
    " ",
  );

const OPTIONS: TortureOptions = {
  subject: "cherry",
  servers: 3,
  seconds: 1,
  seed: 1,
  withRedis: true,
  boundMs: 1000,
  faults: FAULTS,
  workers: 1,
  mix: MIX,
  restMsMax: 1,
  calmMs: [0, 0],
  progress: () => {},
};

function report(tally: Tally, violations: readonly Violation[] = []): TortureReport {
  return judge({
    options: OPTIONS,
    violations,
    counts: countViolations(violations),
    staleLoads: 0,
    struck: { killBus: 1 },
    tally,
    sessions: true,
    loaderCallsPerMiss: Number.NaN,
    problems: [],
  });
}

function checkedAll(but?: string): Tally {
  const tally = new Tally();
  for (const kind of KINDS) if (kind !== but) tally.checked(kind);
  return tally;
}

test("a run in which all was checked and nothing is wrong passes", () => {
  expect(report(checkedAll()).problems).toEqual([]);
  expect(report(checkedAll()).passed).toBe(true);
});

test.each(KINDS)("a run that checked nothing of kind %s fails", (kind) => {
  const { passed, problems } = report(checkedAll(kind));
  expect({ passed, problems }).toEqual({
    passed: false,
    problems: [`nothing of kind ${kind} was checked`],
  });
});

test("one violation fails the run and is shown", () => {
  const made = report(checkedAll(), [{ kind: "lost", key: "k", message: "gone" }]);
  expect(made.passed).toBe(false);
  expect(formatReport(made)).toContain("lost k: gone");
});

test("more than two in a hundred requests that fail while the bus is cut fail the run", () => {
  const tally = checkedAll();
  for (let request = 0; request < 100; request += 1)
    tally.request("killBus", request < 2 ? "STORE_UNAVAILABLE" : undefined);
  expect(report(tally).passed).toBe(true);
  tally.request("killBus", "STORE_UNAVAILABLE");
  expect(report(tally).passed).toBe(false);
});

test("a database that is away may fail any request", () => {
  const tally = checkedAll();
  for (let request = 0; request < 100; request += 1)
    tally.request("restartPostgres", "STORE_UNAVAILABLE");
  expect(report(tally).passed).toBe(true);
});
