import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { describeWithPostgres, testDatabase } from "@cherry-ai/services/vitest";
import type { Memory, MemoryManager } from "../src/manager/memory.ts";
import { FaultPlan, faultyAuthority, faultyDatabase } from "../src/testing/index.ts";
import type { Fault } from "../src/testing/index.ts";
import type { AuthorityTier } from "../src/tiers/authority.ts";
import type { Database } from "../src/tiers/postgres/database.ts";
import { embeddedDatabase, openAuthority, serverDatabase } from "./support/databases.ts";
import { READS, READ_ITEMS, WRITES } from "./support/io-scenarios.ts";
import { answerOf, checkAnswer, checkCopies, checkState, readAll } from "./support/io-checks.ts";
import { openManager } from "./support/managers.ts";

/** No operation makes more round trips than this; one that did would run forever under faults. */
const CALLS_MAX = 60;

interface Rig {
  readonly plan: FaultPlan;
  readonly fresh: () => Memory;
}

/** A manager whose I/O fails as the plan says, either call by call of the authority or of the database. */
function rigOver(level: "authority" | "database", open: () => Promise<Database>): Rig {
  const plan = new FaultPlan();
  let authority: AuthorityTier;
  let manager: MemoryManager;
  let used = 0;
  beforeAll(async () => {
    const database = await open();
    authority = await openAuthority(
      level === "database" ? faultyDatabase(database, plan) : database,
    );
    const seen = level === "authority" ? faultyAuthority(authority, plan) : authority;
    manager = await openManager(seen, "usual");
  });
  afterAll(async () => {
    plan.heal();
    await manager?.close();
    await authority?.close();
  });
  const fresh = (): Memory => {
    used += 1;
    return manager.namespace(`io-${used}`);
  };
  return { plan, fresh };
}

/** Fails the n-th call of `run`, for each n in turn, until the run makes fewer calls than that. */
async function failEach(
  rig: Rig,
  fault: Fault,
  once: (memory: Memory, interrupt: (n: number) => void, n: number) => Promise<void>,
): Promise<number> {
  for (let n = 0; n < CALLS_MAX; n += 1) {
    rig.plan.heal();
    const before = rig.plan.injected;
    await once(rig.fresh(), (at) => rig.plan.failNth(at, fault), n);
    rig.plan.heal();
    if (rig.plan.injected === before) return n;
  }
  throw new Error(`more than ${CALLS_MAX} calls`);
}

function suite(rig: Rig): void {
  describe.each(["before", "after"] as const)("each call fails %s it was done", (fault) => {
    test.each(WRITES)("$name", async (scenario) => {
      const calls = await failEach(rig, fault, async (memory, interrupt, n) => {
        await scenario.prepare(memory);
        interrupt(n);
        const { outcome } = await answerOf(() => scenario.run(memory));
        rig.plan.heal();
        await checkCopies(memory, scenario);
        checkState(scenario, outcome, await readAll(memory, scenario));
        // The next calls work.
        await memory.set("later", n);
        expect(await memory.get("later", { consistency: "latest" })).toBe(n);
      });
      expect(calls).toBeGreaterThan(0);
    });

    test.each(READS)("$name", async ({ run, expected }) => {
      await failEach(rig, fault, async (memory, interrupt, n) => {
        for (const [key, value] of Object.entries(READ_ITEMS))
          await memory.set(key, value, { tierHint: "l3" });
        interrupt(n);
        checkAnswer(await answerOf(() => run(memory)), { expected, or: "STORE_UNAVAILABLE" });
        rig.plan.heal();
        expect(await run(memory)).toEqual(expected);
      });
    });
  });

  test.each(READS)(
    "damaged answers are refused, never returned and never kept: $name",
    async (read) => {
      await failEach(rig, "garbage", async (memory, interrupt, n) => {
        for (const [key, value] of Object.entries(READ_ITEMS))
          await memory.set(key, value, { tierHint: "l3" });
        interrupt(n);
        const answer = await answerOf(() => read.run(memory));
        checkAnswer(answer, { expected: read.expected, or: "CORRUPT_VALUE" });
        rig.plan.heal();
        expect(await read.run(memory)).toEqual(read.expected);
      });
    },
  );

  test("a repeated write under an idempotency key settles an unknown outcome", async () => {
    for (const fault of ["before", "after"] as const)
      await failEach(rig, fault, async (memory, interrupt, n) => {
        await memory.set("k", 0);
        const write = (): Promise<unknown> => memory.set("k", 1, { idempotencyKey: "request" });
        interrupt(n);
        await answerOf(write);
        rig.plan.heal();
        expect((await answerOf(write)).outcome).toBe("ok");
        const item = await memory.getItem("k", { consistency: "latest" });
        expect(item?.value).toBe(1);
        // It was written once: a third time gives the same receipt again.
        await write();
        expect((await memory.getItem("k", { consistency: "latest" }))?.version).toBe(item?.version);
      });
  });
}

describe("PGlite, calls of the authority", () => {
  suite(rigOver("authority", async () => embeddedDatabase()));
});

describe("PGlite, round trips of the database", () => {
  suite(rigOver("database", async () => embeddedDatabase()));
});

describeWithPostgres("PostgreSQL, round trips of the database", () => {
  suite(rigOver("database", async () => exclusive(serverDatabase(await testDatabase()))));
});

/** Nobody else uses this database, so no follower runs whose polls would be counted as calls. */
function exclusive(database: Database): Database {
  return new Proxy(database, {
    get: (_, property): unknown => {
      if (property === "exclusive") return true;
      const member: unknown = Reflect.get(database, property, database);
      return typeof member === "function" ? member.bind(database) : member;
    },
  });
}
