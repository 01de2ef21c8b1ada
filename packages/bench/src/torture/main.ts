/** `pnpm torture`: servers under faults, every answer judged. */
import { parseArgs } from "node:util";
import { postgresAvailable, redisAvailable } from "@cherry-ai/services";
import type { Fault } from "./faults/fault.ts";
import { FAULTS } from "./faults/faults.ts";
import { formatReport } from "./format.ts";
import { runTorture } from "./run.ts";
import { MIXED, OURS, PEERS } from "./servers/subjects.ts";
import type { TortureOptions } from "./torture-options.ts";
import { MIX } from "./workload/worker.ts";

const EXIT_USAGE = 2;
const WORKERS = 16;
const REST_MS_MAX = 8;
const CALM_MS = [600, 1500] as const;
const BOUND_MS = 1000;
const SERVERS_MAX = 16;
const SEED_BELOW = 1_000_000;

function usage(): string {
  return [
    "pnpm torture [--peer P] [--servers N] [--seconds N] [--faults a,b] [--seed N] [--mixed] [--no-redis] [--json]",
    "",
    "Servers in processes of their own over one real PostgreSQL and one real Redis; random reads and",
    "writes; faults; every answer judged. Exit code: 0 passed, 1 not, 2 wrong option.",
    "",
    `  --peer P      tortures another cache than ours: ${PEERS.join(" ")}`,
    "  --servers N   how many servers (3)",
    "  --seconds N   how long the faults strike (60)",
    "  --faults a,b  only these, or none (all that apply)",
    "  --seed N      what is done, and in which order; printed, so that it can be done again",
    "  --mixed       every other server that starts is of a release whose formats are one further",
    "  --no-redis    PostgreSQL alone",
    "  --json        the last thing on standard output is one JSON document",
    "",
    "Faults:",
    ...FAULTS.map(
      ({ name, about, needsRedis }) =>
        `  ${name.padEnd(17)} ${about}${needsRedis ? " (Redis)" : ""}`,
    ),
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
  // pnpm hands on the "--" that separates its own options from ours.
  const args = process.argv.slice(2).filter((argument) => argument !== "--");
  return parseArgs({
    args,
    options: {
      peer: { type: "string" },
      servers: { type: "string", default: "3" },
      seconds: { type: "string", default: "60" },
      faults: { type: "string" },
      seed: { type: "string" },
      mixed: { type: "boolean", default: false },
      "no-redis": { type: "boolean", default: false },
      json: { type: "boolean", default: false },
      help: { type: "boolean", short: "h", default: false },
    },
  }).values;
}

function whole(name: string, text: string, [least, most]: readonly [number, number]): number {
  const number = Number(text);
  if (Number.isSafeInteger(number) && number >= least && number <= most) return number;
  return refuse(`--${name}: expected a whole number from ${least} to ${most}, got ${text}`);
}

function chooseFaults(names: string | undefined, withRedis: boolean): readonly Fault[] {
  const possible = FAULTS.filter(({ needsRedis }) => withRedis || !needsRedis);
  if (names === undefined) return possible;
  if (names === "none") return [];
  return names.split(",").map((name) => {
    const found = possible.find((fault) => fault.name === name);
    if (found !== undefined) return found;
    const isKnown = FAULTS.some((fault) => fault.name === name);
    return refuse(`--faults: ${isKnown ? `${name} needs Redis` : `there is no fault ${name}`}`);
  });
}

function readOptions(values: ReturnType<typeof parseOptions>): TortureOptions {
  const { peer, servers, seconds, faults, seed } = values;
  if (peer !== undefined && !PEERS.includes(peer))
    refuse(`--peer: expected one of ${PEERS.join(", ")}, got ${peer}`);
  if (peer !== undefined && values.mixed) refuse("--mixed: peers have no next release of ours");
  const withRedis = !values["no-redis"];
  if (peer !== undefined && !withRedis) refuse(`--peer: ${peer} needs Redis`);
  return {
    subject: peer ?? (values.mixed ? MIXED : OURS),
    servers: whole("servers", servers, [1, SERVERS_MAX]),
    seconds: whole("seconds", seconds, [1, 86_400]),
    seed:
      seed === undefined
        ? Math.floor(Math.random() * SEED_BELOW)
        : whole("seed", seed, [0, 2 ** 32 - 1]),
    withRedis,
    boundMs: BOUND_MS,
    faults: chooseFaults(faults, withRedis),
    workers: WORKERS,
    mix: MIX,
    restMsMax: REST_MS_MAX,
    calmMs: CALM_MS,
    progress: (text) => console.error(text),
  };
}

async function main(): Promise<void> {
  const values = parse();
  if (values.help) {
    console.log(usage());
    return;
  }
  const options = readOptions(values);
  const missing = postgresAvailable() ?? (options.withRedis ? redisAvailable() : undefined);
  if (missing !== undefined) refuse(missing);
  console.error(
    `seed ${options.seed}, ${options.servers} servers, ${options.seconds} s, faults: ${options.faults.map(({ name }) => name).join(" ") || "none"}`,
  );
  const report = await runTorture(options);
  console.log(formatReport(report));
  if (values.json) console.log(JSON.stringify(report));
  // Whatever a fault left open must not keep the process.
  process.exit(report.passed ? 0 : 1);
}

await main();
