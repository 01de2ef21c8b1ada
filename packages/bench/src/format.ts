import type { Report, Result } from "./result.ts";

const HEADINGS = ["ratio", "goal", "", "what", "value", "peer", "peer's value"] as const;
const RIGHT_ALIGNED: ReadonlySet<string> = new Set(["ratio", "value", "peer's value"]);

/** Three significant digits and groups of three: 1,234,567 · 12.3 · 0.512. */
export function formatNumber(value: number | null): string {
  if (value === null || !Number.isFinite(value)) return "-";
  return new Intl.NumberFormat("en-US", { maximumSignificantDigits: 3 }).format(value);
}

function cells(result: Result): readonly string[] {
  const { value, unit, peer, peerValue, ratio, goal, met } = result;
  const amount = (number: number | null): string =>
    number === null ? "-" : `${formatNumber(number)} ${unit}`;
  return [
    formatNumber(ratio),
    goal.replace(">=", "≥").replace("<=", "≤"),
    met === null ? "" : met ? "met" : "MISSED",
    result.name,
    amount(value),
    peer,
    amount(peerValue),
  ];
}

/** For people at a terminal: ratios first, then notes. */
export function formatTable(report: Report): string {
  const rows = [HEADINGS, ...report.results.map(cells)];
  const widths = HEADINGS.map((_, column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0)),
  );
  const lines = rows.map((row) =>
    row
      .map((cell, column) => {
        const width = widths[column] ?? 0;
        return RIGHT_ALIGNED.has(HEADINGS[column] ?? "")
          ? cell.padStart(width)
          : cell.padEnd(width);
      })
      .join("  ")
      .trimEnd(),
  );
  const judged = report.results.filter((result) => result.met !== null);
  const met = judged.filter((result) => result.met === true).length;
  return [
    `${report.suite}: ${report.machine}, Node ${report.node}, ${report.date}`,
    "",
    ...lines,
    "",
    ...notes(report).map((note) => `${note}`),
    `${met} of ${judged.length} goals met`,
  ].join("\n");
}

/** For `docs/`: the same as Markdown. */
export function formatMarkdown(report: Report, command: string): string {
  const row = (texts: readonly string[]): string => `| ${texts.join(" | ")} |`;
  const rule = HEADINGS.map((heading) => (RIGHT_ALIGNED.has(heading) ? "--:" : "---"));
  return [
    `\`${command}\` on ${report.machine}, Node ${report.node}, ${report.date}.`,
    "",
    row(HEADINGS),
    row(rule),
    ...report.results.map((result) => row(cells(result))),
    "",
    ...notes(report).map((note) => `- ${note}`),
  ].join("\n");
}

function notes(report: Report): string[] {
  return report.results.flatMap(({ name, note }) =>
    note === undefined ? [] : [`${name}: ${note}`],
  );
}
