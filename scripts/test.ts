import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { temporaryFolder } from "../packages/services/src/temporary-folder.ts";
import { runCommand } from "./lib/command.ts";
import { countTests } from "./lib/test-report.ts";
import type { TestTotals, VitestReport } from "./lib/test-report.ts";
import { localProgram, ROOT } from "./lib/workspace.ts";

const HELP = `pnpm test [PATH…] [--require-all] [--test-name-pattern TEXT]

Runs every test that this machine can run, or those whose path contains a PATH. Starts what they
need (a PostgreSQL on a free port) and ends it. Says at its end what it skipped and why.

  --require-all              a skipped test is a failure (also: CHERRY_TEST_REQUIRE_ALL=1)
  --test-name-pattern TEXT   only tests whose full name matches this regular expression
  --help                     this text

Exit code: 0 when all ran tests passed, 1 when one failed or none ran, 2 for a wrong option.`;

const SKIPS_SHOWN = 20;

interface Options {
  readonly paths: readonly string[];
  readonly requireAll: boolean;
  readonly namePattern: string | undefined;
}

function parseOptions(argv: readonly string[]): Options | undefined {
  // pnpm hands on the "--" that separates its own options from ours.
  const args = argv[0] === "--" ? argv.slice(1) : [...argv];
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      "require-all": { type: "boolean", default: false },
      "test-name-pattern": { type: "string" },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return undefined;
  const required = process.env["CHERRY_TEST_REQUIRE_ALL"];
  return {
    paths: positionals,
    requireAll: values["require-all"] || (required !== undefined && required !== ""),
    namePattern: values["test-name-pattern"],
  };
}

async function runVitest(options: Options): Promise<TestTotals> {
  const folder = temporaryFolder("test-report");
  const file = join(folder.path, "report.json");
  const args = ["run", "--reporter=default", "--reporter=json", `--outputFile=${file}`];
  if (options.namePattern !== undefined) args.push("--testNamePattern", options.namePattern);
  try {
    const { code } = await runCommand(localProgram("vitest"), [...args, ...options.paths], {
      cwd: ROOT,
      output: "show",
    });
    if (!existsSync(file)) return { passed: 0, failed: 0, skipped: 0, skips: [] };
    const report = JSON.parse(readFileSync(file, "utf8")) as VitestReport;
    const totals = countTests(report);
    if (report.testResults.length === 0) return totals;
    // An error outside any test (an unhandled rejection, a teardown) fails the run all the same.
    return code !== 0 && totals.failed === 0 ? { ...totals, failed: 1 } : totals;
  } finally {
    folder.remove();
  }
}

function reportSkips(totals: TestTotals, requireAll: boolean): void {
  for (const { reason, tests } of totals.skips) {
    console.log(`\nskipped ${tests.length}: ${reason}`);
    for (const name of tests.slice(0, SKIPS_SHOWN)) console.log(`  - ${name}`);
    if (tests.length > SKIPS_SHOWN) console.log(`  … and ${tests.length - SKIPS_SHOWN} more`);
  }
  if (requireAll && totals.skipped > 0) {
    console.log("\n--require-all: a skipped test is a failure");
  }
}

async function main(): Promise<number> {
  let options: Options | undefined;
  try {
    options = parseOptions(process.argv.slice(2));
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n\n${HELP}`);
    return 2;
  }
  if (options === undefined) {
    console.log(HELP);
    return 0;
  }
  const totals = await runVitest(options);
  reportSkips(totals, options.requireAll);
  if (totals.passed + totals.failed === 0) console.log("\nno test ran");
  console.log(`\n${totals.passed} passed, ${totals.failed} failed, ${totals.skipped} skipped`);
  const unmet = options.requireAll && totals.skipped > 0;
  return totals.failed > 0 || totals.passed === 0 || unmet ? 1 : 0;
}

process.exitCode = await main();
