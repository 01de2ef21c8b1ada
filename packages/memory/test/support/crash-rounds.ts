import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { expect } from "vitest";
import type { PartialConfig } from "../../src/config/resolve.ts";
import { UnifiedMemoryManager } from "../../src/manager/unified-memory-manager.ts";
import type { Memory } from "../../src/manager/memory.ts";
import { seededRandom } from "../../src/testing/index.ts";
import { CRASH_KEYS, CrashLedger } from "./crash-ledger.ts";
import type { CrashLine } from "./crash-ledger.ts";

const WRITING_MS_MIN = 50;
const WRITING_MS_SPREAD = 150;
/** Times at which the process is killed. */
const SEED = 4;
/** More than one process can write before it is killed, so that no number comes twice. */
export const NUMBERS_PER_ROUND = 100_000;

const WRITER = fileURLToPath(new URL("crash-writer.ts", import.meta.url));

/** Kills a writing process `rounds` times; each start looks for what was acknowledged before. */
export async function crashAgainAndAgain(config: PartialConfig, rounds: number): Promise<void> {
  const ledger = new CrashLedger();
  const random = seededRandom(SEED);
  for (let round = 1; round <= rounds; round += 1) {
    const writingMs = WRITING_MS_MIN + random() * WRITING_MS_SPREAD;
    await crashOnce(config, { round, writingMs, ledger });
  }
  // The last round's writes are looked for by one more start, in this process.
  const memory = new UnifiedMemoryManager(config);
  await memory.initialize();
  ledger.check(await readCrashKeys(memory), "at the end");
  await memory.close();
  expect(ledger.violations).toEqual([]);
  expect(ledger.acknowledged).toBeGreaterThan(rounds);
  expect(ledger.removed).toBeGreaterThan(rounds / 5);
}

export async function readCrashKeys(memory: Memory): Promise<(number | null)[]> {
  const values = await memory.getMany<number>(CRASH_KEYS, { consistency: "latest" });
  return values.map((value) => value ?? null);
}

/** Runs the writer until it has written for so long, and kills it without warning. */
async function crashOnce(
  config: PartialConfig,
  how: { readonly round: number; readonly writingMs: number; readonly ledger: CrashLedger },
): Promise<void> {
  const { round, writingMs, ledger } = how;
  const flags = ["--conditions=@cherry-ai/source", WRITER];
  const child = spawn(
    process.execPath,
    [...flags, JSON.stringify(config), String(round * NUMBERS_PER_ROUND)],
    { stdio: ["ignore", "pipe", "pipe"] },
  );
  const closed = once(child, "close");
  let complaints = "";
  child.stderr.on("data", (chunk: Buffer) => (complaints += chunk.toString()));
  let started = false;
  for await (const text of createInterface({ input: child.stdout })) {
    const line = JSON.parse(text) as CrashLine;
    ledger.apply(line, `round ${round}`);
    if (started || line.kind !== "state") continue;
    started = true;
    setTimeout(() => child.kill("SIGKILL"), writingMs);
  }
  const [code, signal] = (await closed) as [number | null, string | null];
  if (!started || signal !== "SIGKILL")
    throw new Error(`round ${round}: the writer ended by itself (${code}): ${complaints}`);
}
