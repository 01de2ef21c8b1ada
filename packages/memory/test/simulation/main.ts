import { parseArgs } from "node:util";
import { runSeed } from "./run-seed.ts";

const HELP = `pnpm sim:coherence [--seeds N] [--from N] [--seed N [--trace]]

Servers of ours over a simulated database, Redis and network, on one scheduler whose order of
events is the seed's: servers die and stand still, messages are late, doubled and lost, the
database crashes, Redis forgets. Every answer is judged by what really happened.

  --seeds N   how many seeds (default 10000)
  --from N    the first of them (default 1)
  --seed N    this one alone
  --trace     with --seed: every event of it
  --help      this text

Exit code: 0 when nothing was violated, 1 when something was, 2 for a wrong option.`;

const SEEDS = 10_000;
const SHOWN_MAX = 10;

interface Totals {
  events: number;
  operations: number;
  reads: number;
  behind: number;
  copies: number;
}

function numberOf(text: string | undefined, standard: number): number {
  const number = text === undefined ? standard : Number(text);
  if (!Number.isSafeInteger(number) || number < 0)
    throw new Error(`expected a whole number, got ${text}`);
  return number;
}

async function runAll(from: number, seeds: number): Promise<number> {
  const totals: Totals = { events: 0, operations: 0, reads: 0, behind: 0, copies: 0 };
  const began = process.cpuUsage();
  // Nobody reads the stacks of the thousands of errors that are expected.
  Error.stackTraceLimit = 0;
  let bad = 0;
  for (let seed = from; seed < from + seeds; seed += 1) {
    const report = await runSeed(seed);
    for (const name of Object.keys(totals) as (keyof Totals)[]) totals[name] += report[name];
    if (report.violations.length === 0) continue;
    bad += 1;
    if (bad > SHOWN_MAX) continue;
    for (const { kind, text } of report.violations.slice(0, 2))
      process.stdout.write(`seed ${seed}: ${kind}: ${text}\n`);
  }
  const { user, system } = process.cpuUsage(began);
  const seconds = (user + system) / 1e6;
  const { events, operations, reads, behind, copies } = totals;
  process.stdout.write(
    `${seeds} seeds, ${operations} operations, ${reads} reads (${behind} behind, ${copies} from copies), ` +
      `${events} events, ${seconds.toFixed(1)} s of processor time: ${bad} seeds with violations\n`,
  );
  return bad === 0 ? 0 : 1;
}

async function runOne(seed: number, isTraced: boolean): Promise<number> {
  const print = (line: string): void => void process.stdout.write(`${line}\n`);
  const report = await runSeed(seed, isTraced ? { trace: print } : {});
  for (const { kind, text } of report.violations) print(`seed ${seed}: ${kind}: ${text}`);
  print(`seed ${seed}: ${report.operations} operations, ${report.violations.length} violations`);
  return report.violations.length === 0 ? 0 : 1;
}

function parse(args: readonly string[]): (() => Promise<number>) | undefined {
  const { values } = parseArgs({
    args: args.filter((arg) => arg !== "--"),
    options: {
      seeds: { type: "string" },
      from: { type: "string" },
      seed: { type: "string" },
      trace: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return undefined;
  const seed = values.seed === undefined ? undefined : numberOf(values.seed, 1);
  const from = numberOf(values.from, 1);
  const seeds = numberOf(values.seeds, SEEDS);
  return () => (seed === undefined ? runAll(from, seeds) : runOne(seed, values.trace));
}

async function main(): Promise<number> {
  let run: (() => Promise<number>) | undefined;
  try {
    run = parse(process.argv.slice(2));
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${HELP}\n`);
    return 2;
  }
  if (run !== undefined) return run();
  process.stdout.write(`${HELP}\n`);
  return 0;
}

process.exitCode = await main();
