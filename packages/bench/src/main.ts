/** `pnpm bench [suite]`: us and the peers in one run, ratios first. */
import { isAbsolute, join } from "node:path";
import { parseArgs } from "node:util";
import { formatMarkdown, formatTable } from "./format.ts";
import { runSuite } from "./run-suite.ts";
import { writeSection } from "./section.ts";
import type { Suite } from "./suite.ts";
import { SUITES } from "./suites.ts";

const EXIT_USAGE = 2;

function usage(): string {
  return [
    "pnpm bench [suite] [--json] [--only CASE[,CASE]] [--out FILE]",
    "",
    "  --json        the last line of standard output is one JSON document",
    "  --only CASE   only these cases",
    "  --out FILE    replaces the suite's section of a Markdown file, such as docs/benchmarks.md",
    "",
    "Suites and their cases (default: core):",
    ...SUITES.flatMap((suite) => [
      `  ${suite.name}: ${suite.about}`,
      ...suite.cases.map((one) => `    ${one.name.padEnd(14)} ${one.about}`),
    ]),
  ].join("\n");
}

function refuse(problem: string): never {
  console.error(`${problem}\n\n${usage()}`);
  process.exit(EXIT_USAGE);
}

function parse(): ReturnType<typeof parseOptions> {
  try {
    return parseOptions();
  } catch (error) {
    return refuse(error instanceof Error ? error.message : String(error));
  }
}

function parseOptions() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      json: { type: "boolean", default: false },
      only: { type: "string", multiple: true, default: [] },
      out: { type: "string" },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  return { ...values, positionals };
}

function chooseSuite(positionals: readonly string[]): Suite {
  if (positionals.length > 1) refuse(`expected one suite, got ${positionals.join(" ")}`);
  const name = positionals[0] ?? "core";
  return SUITES.find((suite) => suite.name === name) ?? refuse(`there is no suite ${name}`);
}

async function main(): Promise<void> {
  const options = parse();
  if (options.help) {
    console.log(usage());
    return;
  }
  const suite = chooseSuite(options.positionals);
  const only = options.only.flatMap((names) => names.split(","));
  const strange = only.find((name) => !suite.cases.some((one) => one.name === name));
  if (strange !== undefined) refuse(`suite ${suite.name} has no case ${strange}`);
  const report = await runSuite(suite, { only, progress: (text) => console.error(text) });
  console.log(formatTable(report));
  if (options.out !== undefined) {
    const file = isAbsolute(options.out) ? options.out : join(process.cwd(), options.out);
    writeSection(file, suite.name, formatMarkdown(report, `pnpm bench ${suite.name}`));
  }
  if (options.json) console.log(JSON.stringify(report));
}

await main();
