import { join, relative } from "node:path";
import { parseArgs } from "node:util";
import { runCommand } from "./lib/command.ts";
import { runSteps } from "./lib/steps.ts";
import type { Step, StepResult } from "./lib/steps.ts";
import { localProgram, publishedPackages, ROOT } from "./lib/workspace.ts";

const HELP = `pnpm check [--only NAME…]

Everything but the tests. All steps run, whichever fails.

  format    prettier --check
  lint      oxlint with types: un-awaited promises, import layers, cycles, sizes
  types     tsc over all sources, tests and scripts
  unused    knip: dead files, exports and dependencies
  tidy      what no linter knows: see scripts/tidy/
  packages  build, then what is published: publint and attw

  --only NAME   run only this step (may be repeated)
  --help        this text

Exit code: 0 when all passed, 1 when a step failed, 2 for a wrong option.`;

const PARALLEL = 2;

type Outcome = Awaited<ReturnType<Step["run"]>>;

function program(name: string, ...args: readonly string[]): Promise<Outcome> {
  return runCommand(localProgram(name), args, { cwd: ROOT, output: "keep" });
}

function script(name: string): Promise<Outcome> {
  const file = join(ROOT, "scripts", name);
  return runCommand(process.execPath, ["--conditions=@cherry-ai/source", file], {
    cwd: ROOT,
    output: "keep",
  });
}

/** Runs on past a failure, so that one run shows all of them. */
async function each(tasks: readonly (() => Promise<Outcome>)[]): Promise<Outcome> {
  let code = 0;
  let output = "";
  for (const task of tasks) {
    const outcome = await task();
    if (outcome.code === 0) continue;
    code = 1;
    output += `${outcome.output.trimEnd()}\n`;
  }
  return { code, output };
}

async function checkPackages(): Promise<Outcome> {
  const built = await script("build.ts");
  if (built.code !== 0) return built;
  return each(
    publishedPackages().flatMap(({ folder }) => {
      const path = relative(ROOT, folder);
      return [
        () => program("publint", "run", path, "--strict", "--pack", "npm"),
        () => program("attw", "--pack", path, "--profile", "esm-only", "--no-color"),
      ];
    }),
  );
}

// The longest first, so that the two lanes end together.
const STEPS: readonly Step[] = [
  { name: "packages", what: "build, publint, attw", run: checkPackages },
  { name: "types", what: "tsc", run: () => program("tsc", "-p", "tsconfig.json", "--noEmit") },
  { name: "format", what: "prettier", run: () => program("prettier", "--check", ".") },
  {
    name: "lint",
    what: "oxlint",
    run: () => program("oxlint", "--type-aware", "--deny-warnings", "--format=unix"),
  },
  { name: "unused", what: "knip", run: () => program("knip", "--no-progress") },
  { name: "tidy", what: "scripts/tidy", run: () => script("tidy.ts") },
];

function chosenSteps(argv: readonly string[]): readonly Step[] | undefined {
  const { values } = parseArgs({
    args: [...(argv[0] === "--" ? argv.slice(1) : argv)],
    options: {
      only: { type: "string", multiple: true },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return undefined;
  const only = values.only;
  if (only === undefined) return STEPS;
  const unknown = only.filter((name) => !STEPS.some((step) => step.name === name));
  if (unknown.length > 0) throw new Error(`no step is called ${unknown.join(", ")}`);
  return STEPS.filter((step) => only.includes(step.name));
}

function line(result: StepResult): string {
  const seconds = (result.elapsedMs / 1000).toFixed(1).padStart(5);
  return `${result.ok ? "ok    " : "FAILED"} ${result.name.padEnd(9)} ${seconds} s  ${result.what}`;
}

async function main(): Promise<number> {
  let steps: readonly Step[] | undefined;
  try {
    steps = chosenSteps(process.argv.slice(2));
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n\n${HELP}`);
    return 2;
  }
  if (steps === undefined) {
    console.log(HELP);
    return 0;
  }
  const results = await runSteps(steps, PARALLEL, (result) => console.log(line(result)));
  const failed = results.filter((result) => !result.ok);
  for (const result of failed) console.log(`\n── ${result.name} ──\n${result.output.trimEnd()}`);
  console.log(`\n${results.length - failed.length} steps passed, ${failed.length} failed`);
  return failed.length === 0 ? 0 : 1;
}

process.exitCode = await main();
