/** One named fact about an implementation; `run` throws when it does not hold. */
export interface SuiteCase {
  readonly name: string;
  readonly run: () => Promise<void>;
}

/** A list of cases that every implementation of one interface must pass. */
export interface Suite {
  readonly name: string;
  readonly cases: readonly SuiteCase[];
}

/** What `registerSuite` needs of a test framework; vitest, jest and node:test have it. */
export interface TestFramework {
  readonly describe: (name: string, body: () => void) => unknown;
  readonly test: (name: string, body: () => Promise<void>) => unknown;
}

/** Makes each case a test of the framework at hand, so that the suites depend on none. */
export function registerSuite(suite: Suite, framework: TestFramework): void {
  framework.describe(suite.name, () => {
    for (const { name, run } of suite.cases) framework.test(name, run);
  });
}

/** Runs all cases one after another without a framework; throws at the end, naming each failure. */
export async function runSuite(suite: Suite): Promise<void> {
  const failures: Error[] = [];
  for (const { name, run } of suite.cases) {
    try {
      await run();
    } catch (cause) {
      failures.push(new Error(`${suite.name}: ${name}`, { cause }));
    }
  }
  if (failures.length > 0)
    throw new AggregateError(failures, failures.map((failure) => failure.message).join("\n"));
}
