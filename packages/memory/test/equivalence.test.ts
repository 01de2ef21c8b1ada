import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { describeWithPostgres, testDatabase } from "@cherry-ai/services/vitest";
import type { Memory, MemoryManager } from "../src/manager/memory.ts";
import type { AuthorityTier } from "../src/tiers/authority.ts";
import type { Database } from "../src/tiers/postgres/database.ts";
import { key, metadata, selection, tags, value } from "./support/arbitraries.ts";
import { command, keyCommand } from "./support/commands.ts";
import { embeddedDatabase, openAuthority, serverDatabase } from "./support/databases.ts";
import { COPYINGS, openManager } from "./support/managers.ts";
import type { Copying } from "./support/managers.ts";
import { Twin } from "./support/twin.ts";

const RUNS = 40;

interface Rig {
  /** A manager that keeps copies this way, over the rig's authority. */
  readonly manager: (copying: Copying) => MemoryManager;
  /** A namespace that nothing has used. */
  readonly fresh: (copying: Copying) => Memory;
}

/** One database and a manager for each way of keeping copies. */
function rigOver(database: () => Promise<Database>): Rig {
  const managers = new Map<Copying, MemoryManager>();
  let authority: AuthorityTier;
  let used = 0;
  beforeAll(async () => {
    authority = await openAuthority(await database());
    for (const copying of COPYINGS) managers.set(copying, await openManager(authority, copying));
  });
  afterAll(async () => {
    for (const manager of managers.values()) await manager.close();
    await authority?.close();
  });
  const manager = (copying: Copying): MemoryManager => {
    const found = managers.get(copying);
    if (found === undefined) throw new Error("the rig is not ready");
    return found;
  };
  const fresh = (copying: Copying): Memory => {
    used += 1;
    return manager(copying).namespace(`run-${used}`);
  };
  return { manager, fresh };
}

function equivalences(rig: Rig): void {
  test.each(COPYINGS)(
    "random commands agree with the reference model, copies: %s",
    async (copying) => {
      await fc.assert(
        fc.asyncProperty(fc.array(command, { minLength: 1, maxLength: 25 }), async (commands) => {
          const twin = new Twin(rig.fresh(copying));
          for (const one of commands) await twin.run(one);
          await twin.compareAll();
        }),
        { numRuns: RUNS },
      );
    },
  );

  test.each(COPYINGS)("getMany is many gets, copies: %s", async (copying) => {
    const stored = fc.uniqueArray(fc.tuple(key, value), { selector: ([name]) => name });
    await fc.assert(
      fc.asyncProperty(stored, fc.array(key), fc.array(key), async (items, warmed, asked) => {
        const memory = rig.fresh(copying);
        for (const [name, one] of items) await memory.set(name, one, { tierHint: "l3" });
        for (const name of warmed) await memory.get(name);
        for (const consistency of ["any", "latest"] as const) {
          const many = await memory.getMany(asked, { consistency });
          const singles: unknown[] = [];
          for (const name of asked) singles.push(await memory.get(name, { consistency }));
          expect(many).toEqual(singles);
        }
      }),
      { numRuns: RUNS },
    );
  });

  test.each(COPYINGS)("a batch is its operations one by one, copies: %s", async (copying) => {
    const setup = fc.array(keyCommand, { maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(setup, fc.array(keyCommand, { maxLength: 12 }), async (before, commands) => {
        const batched = new Twin(rig.fresh(copying));
        for (const one of before) await batched.run({ kind: "key", path: "", command: one });
        await batched.run({ kind: "batch", path: "", commands, atomic: false });
        await batched.compareAll();
      }),
      { numRuns: RUNS },
    );
  });

  test("pages of a search, put together, are what the filter of the model chooses", async () => {
    const item = fc.record({
      key: fc.string({ minLength: 1, maxLength: 3, unit: "binary" }),
      metadata,
      tags,
    });
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(item, { selector: (one) => one.key, maxLength: 15 }),
        fc.array(selection, { minLength: 1, maxLength: 6 }),
        fc.constantFrom(1, 2, 5, 100),
        async (items, selections, limit) => {
          const twin = new Twin(rig.fresh("none"));
          const commands = items
            .filter(({ key: name }) => isOrdinary(name))
            .map((one) => ({
              ...one,
              type: "set" as const,
              value: null,
              expect: "any" as const,
              lifetime: "none" as const,
              tierHint: undefined,
            }));
          await twin.run({ kind: "batch", path: "", commands, atomic: false });
          for (const one of selections)
            await twin.run({ kind: "search", path: "", selection: one, limit });
        },
      ),
      { numRuns: RUNS * 3 },
    );
  });
}

/** Whether the text is a key at all. */
function isOrdinary(name: string): boolean {
  return !/[\u0000\p{Surrogate}]/u.test(name) && name !== "." && name !== "..";
}

describe("on PGlite", () => {
  equivalences(rigOver(async () => embeddedDatabase()));
});

describeWithPostgres("on PostgreSQL", () => {
  equivalences(rigOver(async () => serverDatabase(await testDatabase())));
});
