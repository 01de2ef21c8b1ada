/** What a test run came to. */
export interface TestTotals {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  /** Why tests were skipped, with their number; most first. */
  readonly skips: readonly { readonly reason: string; readonly tests: readonly string[] }[];
}

interface Assertion {
  readonly status: string;
  readonly fullName: string;
  readonly ancestorTitles: readonly string[];
}

interface FileResult {
  readonly status: string;
  readonly name: string;
  readonly assertionResults: readonly Assertion[];
}

/** What we read of vitest's JSON report. */
export interface VitestReport {
  readonly testResults: readonly FileResult[];
}

const REASON = /\[skipped: (.*)\]$/;
const NO_REASON = "no reason given";
const FAILED_BEFORE = "their suite failed before they could run";

/** A suite that needs what this machine lacks says so at the end of its name. */
function skipReason(test: Assertion, file: FileResult): string {
  for (const title of [...test.ancestorTitles, test.fullName]) {
    const reason = REASON.exec(title)?.[1];
    if (reason !== undefined) return reason;
  }
  return file.status === "failed" ? FAILED_BEFORE : NO_REASON;
}

function plainName(test: Assertion): string {
  return test.fullName.replace(/ \[skipped: .*?\]/, "").trim();
}

/** Counts a vitest report. A file that fails to load has no tests and still counts as a failure. */
export function countTests(report: VitestReport): TestTotals {
  let passed = 0;
  let failed = 0;
  const skips = new Map<string, string[]>();
  for (const file of report.testResults) {
    let failedHere = 0;
    for (const test of file.assertionResults) {
      if (test.status === "passed") passed += 1;
      else if (test.status === "failed") failedHere += 1;
      else {
        const reason = skipReason(test, file);
        skips.set(reason, [...(skips.get(reason) ?? []), plainName(test)]);
      }
    }
    failed += file.status === "failed" ? Math.max(failedHere, 1) : failedHere;
  }
  const sorted = [...skips].map(([reason, tests]) => ({ reason, tests }));
  sorted.sort((a, b) => b.tests.length - a.tests.length);
  const skipped = sorted.reduce((sum, skip) => sum + skip.tests.length, 0);
  return { passed, failed, skipped, skips: sorted };
}
