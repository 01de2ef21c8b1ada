import { expect, test } from "vitest";
import { startPostgres } from "@cherry-ai/services";
import { describeWithPostgres, testDatabase } from "@cherry-ai/services/vitest";
import { UnifiedMemoryManager } from "../src/manager/unified-memory-manager.ts";
import type { Memory } from "../src/manager/memory.ts";
import { systemClock } from "../src/model/clock.ts";
import { isMemoryError } from "../src/model/errors.ts";
import { CRASH_KEYS, CrashLedger, WORKERS, isRemoval } from "./support/crash-ledger.ts";
import { NUMBERS_PER_ROUND, crashAgainAndAgain, readCrashKeys } from "./support/crash-rounds.ts";
import { QUIET } from "./support/managers.ts";

const ROUNDS = 50;
const TIMEOUT_MS = 300_000;

describeWithPostgres("a server on PostgreSQL, killed while it writes", () => {
  test(
    `keeps every acknowledged write and delete, ${ROUNDS} times`,
    async () => {
      const config = { ...QUIET, tiers: { L3: { url: await testDatabase() } } };
      await crashAgainAndAgain(config, ROUNDS);
    },
    TIMEOUT_MS,
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
    TIMEOUT_MS,
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
      return await readCrashKeys(memory);
    } catch (error) {
      if (systemClock.monotonicMs() > untilMs) throw error;
      await systemClock.sleep(50);
    }
  }
}
