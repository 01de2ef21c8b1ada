import { VIOLATION_KINDS } from "./checker/violation.ts";
import type { TortureReport } from "./report.ts";

function row(cells: readonly (string | number)[], widths: readonly number[]): string {
  return cells
    .map((cell, index) =>
      index === 0
        ? String(cell).padEnd(widths[index] ?? 0)
        : String(cell).padStart(widths[index] ?? 0),
    )
    .join("  ")
    .trimEnd();
}

function table(rows: readonly (readonly (string | number)[])[]): string[] {
  const columns = Math.max(...rows.map((cells) => cells.length));
  const widths = Array.from({ length: columns }, (_, column) =>
    Math.max(...rows.map((cells) => String(cells[column] ?? "").length)),
  );
  return rows.map((cells) => row(cells, widths));
}

/** The report for people. */
export function formatReport(report: TortureReport): string {
  const { subject, servers, seconds, seed, redis, operations } = report;
  const phases = Object.entries(report.availability.byFault).map(
    ([name, { requests, failed, served }]) => [
      name,
      report.faults[name] ?? "",
      requests,
      failed,
      `${(served * 100).toFixed(2)} %`,
    ],
  );
  const calls = report.loaderCallsPerMiss;
  return [
    `${subject}: ${servers} servers, ${seconds} s, seed ${seed}, ${redis ? "PostgreSQL and Redis" : "PostgreSQL alone"}, ${operations} operations`,
    "",
    ...table([["while", "times", "requests", "failed", "served"], ...phases]),
    "",
    ...table(Object.entries(report.checked).map(([kind, count]) => [`checked ${kind}`, count])),
    "",
    ...table([
      ...VIOLATION_KINDS.map((kind) => [kind, report.violations[kind]]),
      ["outcome unknown", report.outcomeUnknown],
      ["loader calls per miss", calls === null ? "-" : calls.toFixed(2)],
      ["stale loads", report.staleLoads],
    ]),
    "",
    ...report.examples.map(({ kind, key, message }) => `${kind} ${key}: ${message}`),
    ...report.problems,
    report.passed ? "passed" : "FAILED",
  ].join("\n");
}
