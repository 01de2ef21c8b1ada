import type { Report, Result } from "./result.ts";

const HEADINGS = ["ratio", "goal", "", "what", "value", "peer", "peer's value"] as const;
/** Three dashes make a rule in Markdown. */
const RULE_WIDTH_MIN = 3;
const RIGHT_ALIGNED: ReadonlySet<string> = new Set(["ratio", "value", "peer's value"]);

/** Three significant digits and groups of three: 1,234,567 · 12.3 · 0.512. */
function formatNumber(value: number | null): string {
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
    met ? "met" : "MISSED",
    result.name,
    amount(value),
    peer,
    amount(peerValue),
  ];
}

/** Rows of equal width, columns of numbers to the right. */
function alignedRows(report: Report): readonly (readonly string[])[] {
  const rows = [HEADINGS, ...report.results.map(cells)];
  const widths = HEADINGS.map((_, column) =>
    Math.max(RULE_WIDTH_MIN, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  return rows.map((row) =>
    row.map((cell, column) => {
      const width = widths[column] ?? 0;
      return isRight(column) ? cell.padStart(width) : cell.padEnd(width);
    }),
  );
}

function isRight(column: number): boolean {
  return RIGHT_ALIGNED.has(HEADINGS[column] ?? "");
}

/** For people at a terminal: ratios first, then notes. */
export function formatTable(report: Report): string {
  const met = report.results.filter((result) => result.met).length;
  return [
    `${report.suite}: ${report.machine}, Node ${report.node}, ${report.date}`,
    "",
    ...alignedRows(report).map((row) => row.join("  ").trimEnd()),
    "",
    ...notes(report),
    `${met} of ${report.results.length} goals met`,
  ].join("\n");
}

/** For `docs/`: the same as Markdown, laid out as the formatter of this repository does. */
export function formatMarkdown(report: Report, command: string): string {
  const line = (texts: readonly string[]): string => `| ${texts.join(" | ")} |`;
  const [headings = [], ...rows] = alignedRows(report);
  const rule = headings.map(({ length }, column) =>
    isRight(column) ? `${"-".repeat(length - 1)}:` : "-".repeat(length),
  );
  return [
    `\`${command}\` on ${report.machine}, Node ${report.node}, ${report.date}.`,
    "",
    line(headings),
    line(rule),
    ...rows.map(line),
    "",
    ...notes(report).map((note) => `- ${note}`),
  ].join("\n");
}

/** What several results say in the same words is said once. */
function notes(report: Report): readonly string[] {
  const names = new Map<string, string[]>();
  for (const { name, note } of report.results)
    if (note !== undefined) names.set(note, [...(names.get(note) ?? []), name]);
  return [...names].map(([note, about]) => `${about.join("; ")}: ${note}`);
}
