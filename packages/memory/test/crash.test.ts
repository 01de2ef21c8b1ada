import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { startPostgres, temporaryFolder } from "@cherry-ai/services";
import { describeWithPostgres, testDatabase } from "@cherry-ai/services/vitest";
import type { PartialConfig } from "../src/config/resolve.ts";
import { UnifiedMemoryManager } from "../src/manager/unified-memory-manager.ts";
import type { Memory } from "../src/manager/memory.ts";
import { systemClock } from "../src/model/clock.ts";
import { isMemoryError } from "../src/model/errors.ts";
import { seededRandom } from "../src/testing/index.ts";
import { CRASH_KEYS, CrashLedger, WORKERS, isRemoval } from "./support/crash-ledger.ts";
import type { CrashLine } from "./support/crash-ledger.ts";
import { QUIET } from "./support/managers.ts";

const ROUNDS = 50;
const WRITING_MS_MIN = 50;
const WRITING_MS_SPREAD = 150;
const TEST_TIMEOUT_MS = 240_000;
const SEED = 4;
/** More than one process can write before it is killed, so that no number comes twice. */
const NUMBERS_PER_ROUND = 100_000;

const WRITER = fileURLToPath(new URL("support/crash-writer.ts", import.meta.url));

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

async function crashAgainAndAgain(config: PartialConfig): Promise<void> {
  const ledger = new CrashLedger();
  const random = seededRandom(SEED);
  for (let round = 1; round <= ROUNDS; round += 1) {
    const writingMs = WRITING_MS_MIN + random() * WRITING_MS_SPREAD;
    await crashOnce(config, { round, writingMs, ledger });
  }
  // The last round's writes are checked by one more start, in this process.
  const memory = new UnifiedMemoryManager(config);
  await memory.initialize();
  ledger.check(await readAll(memory), "at the end");
  await memory.close();
  expect(ledger.violations).toEqual([]);
  expect(ledger.acknowledged).toBeGreaterThan(ROUNDS);
  expect(ledger.removed).toBeGreaterThan(ROUNDS / 5);
}

async function readAll(memory: Memory): Promise<(number | null)[]> {
  const values = await memory.getMany<number>(CRASH_KEYS, { consistency: "latest" });
  return values.map((value) => value ?? null);
}

describe("a server killed while it writes", () => {
  test(
    `keeps every acknowledged write and delete, ${ROUNDS} times, on PGlite`,
    async () => {
      const folder = temporaryFolder("crash");
      try {
        await crashAgainAndAgain({ ...QUIET, dataDir: folder.path });
      } finally {
        folder.remove();
      }
    },
    TEST_TIMEOUT_MS,
  );
});

describeWithPostgres("a server of PostgreSQL killed while it writes", () => {
  test(
    `keeps every acknowledged write and delete, ${ROUNDS} times`,
    async () => {
      await crashAgainAndAgain({ ...QUIET, tiers: { L3: { url: await testDatabase() } } });
    },
    TEST_TIMEOUT_MS,
  );
});

describeWithPostgres("PostgreSQL itself killed", () => {
  const PG_ROUNDS = 5;
  const WRITING_MS = 200;

  test(
    "keeps what was acknowledged, and says truly what was not written",
    async () => {
      const postgres = await startPostgres();
      const url = await postgres.databaseUrl("crash");
      const memory = new UnifiedMemoryManager({ ...QUIET, tiers: { L3: { url } } });
      try {
        await memory.initialize();
        const ledger = new CrashLedger();
        const failures = new Map<string, number>();
        for (let round = 1; round <= PG_ROUNDS; round += 1) {
          let down = false;
          const writers = Array.from({ length: WORKERS }, (_, worker) =>
            writeUntilDown(memory, { worker, round, ledger, failures, isDown: () => down }),
          );
          await systemClock.sleep(WRITING_MS);
          await postgres.kill();
          down = true;
          await Promise.all(writers);
          await postgres.start();
          ledger.check(await readWhenBack(memory), `round ${round}`);
        }
        expect(ledger.violations).toEqual([]);
        expect(ledger.acknowledged).toBeGreaterThan(PG_ROUNDS);
        expect([...failures.keys()].toSorted()).toContain("STORE_UNAVAILABLE");
        for (const code of failures.keys())
          expect(["STORE_UNAVAILABLE", "OUTCOME_UNKNOWN"]).toContain(code);
      } finally {
        await memory.close();
        await postgres.remove();
      }
    },
    TEST_TIMEOUT_MS,
  );
});

/** Writes until the server is away and a write has been refused for it. */
async function writeUntilDown(
  memory: Memory,
  how: {
    readonly worker: number;
    readonly round: number;
    readonly ledger: CrashLedger;
    readonly failures: Map<string, number>;
    readonly isDown: () => boolean;
  },
): Promise<void> {
  const { ledger, failures } = how;
  const keys = CRASH_KEYS.filter((_, index) => index % WORKERS === how.worker);
  const unknown = new Set<string>();
  for (let n = how.round * NUMBERS_PER_ROUND; ; n += 1) {
    const key = keys[n % keys.length] ?? "";
    // What became of this key's last write is not known, so nothing more can be said of it.
    if (unknown.has(key)) {
      if (unknown.size === keys.length) return;
      continue;
    }
    const value = isRemoval(n) ? null : n;
    ledger.begin(key, value);
    const wasDown = how.isDown();
    try {
      await (value === null ? memory.delete(key) : memory.set(key, value));
      ledger.acknowledge(key, value);
    } catch (error) {
      if (!isMemoryError(error)) throw error;
      failures.set(error.code, (failures.get(error.code) ?? 0) + 1);
      if (error.code === "STORE_UNAVAILABLE") ledger.refuse(key);
      else unknown.add(key);
      if (wasDown) return;
      // A refusal may come without any I/O: whoever is killing the server must have a turn.
      await systemClock.sleep(1);
    }
  }
}

/** The pool notices by itself that the server is back; a breaker may need a moment. */
async function readWhenBack(memory: Memory): Promise<(number | null)[]> {
  const untilMs = systemClock.monotonicMs() + 30_000;
  for (;;) {
    try {
      return await readAll(memory);
    } catch (error) {
      if (systemClock.monotonicMs() > untilMs) throw error;
      await systemClock.sleep(50);
    }
  }
}
