import { expect, test } from "vitest";
import { countTests } from "./test-report.ts";

function assertion(
  status: string,
  ...titles: string[]
): {
  status: string;
  fullName: string;
  ancestorTitles: string[];
} {
  return { status, fullName: titles.join(" "), ancestorTitles: titles.slice(0, -1) };
}

test("counts what passed, failed and was skipped", () => {
  const totals = countTests({
    testResults: [
      {
        status: "failed",
        name: "a.test.ts",
        assertionResults: [
          assertion("passed", "x"),
          assertion("failed", "y"),
          assertion("pending", "z"),
        ],
      },
    ],
  });
  expect(totals).toMatchObject({ passed: 1, failed: 1, skipped: 1 });
});

test("counts a file that cannot be loaded as a failure", () => {
  const report = { testResults: [{ status: "failed", name: "a.test.ts", assertionResults: [] }] };
  expect(countTests(report).failed).toBe(1);
});

test("groups skipped tests by the reason in their suite's name", () => {
  const report = {
    testResults: [
      {
        status: "passed",
        name: "a.test.ts",
        assertionResults: [
          assertion("pending", "alone"),
          assertion("pending", "rows [skipped: no PostgreSQL]", "insert"),
          assertion("pending", "rows [skipped: no PostgreSQL]", "delete"),
        ],
      },
    ],
  };
  expect(countTests(report).skips).toEqual([
    { reason: "no PostgreSQL", tests: ["rows insert", "rows delete"] },
    { reason: "no reason given", tests: ["alone"] },
  ]);
});

test("says of skipped tests in a file whose setup failed that this is why", () => {
  const report = {
    testResults: [
      {
        status: "failed",
        name: "a.test.ts",
        assertionResults: [assertion("pending", "suite", "x")],
      },
    ],
  };
  expect(countTests(report)).toMatchObject({
    failed: 1,
    skips: [{ reason: "their suite failed before they could run", tests: ["suite x"] }],
  });
});
