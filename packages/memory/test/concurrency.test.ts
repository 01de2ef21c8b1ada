import { afterEach, expect, test } from "vitest";
import { describeWithPostgres, testDatabase } from "@cherry-ai/services/vitest";
import { UnifiedMemoryManager } from "../src/manager/unified-memory-manager.ts";
import type { Memory, MemoryManager } from "../src/manager/memory.ts";
import { systemClock } from "../src/model/clock.ts";
import { wholeBelow, withSeed } from "../src/testing/index.ts";
import { QUIET } from "./support/managers.ts";

const MAX_STALENESS_MS = 250;
/** Reads that must have been checked before a run ends; how long that takes is the machine's affair. */
const CHECKED_READS = 400;
const RUN_MS_MAX = 20_000;
const KEYS = ["a", "b", "c", "d"] as const;
const SEED = 20_260_101;

describeWithPostgres("two servers over one PostgreSQL", () => {
  const open: MemoryManager[] = [];

  afterEach(async () => {
    for (const manager of open.splice(0)) await manager.close();
  });

  async function servers(count: number): Promise<MemoryManager[]> {
    const url = await testDatabase();
    const started = Array.from({ length: count }, async () => {
      const manager = new UnifiedMemoryManager({
        ...QUIET,
        maxStalenessMs: MAX_STALENESS_MS,
        tiers: { L3: { url } },
      });
      await manager.initialize();
      open.push(manager);
      return manager;
    });
    return Promise.all(started);
  }

  test("no read is older than the bound, deletes included, and in the end all agree", async () => {
    const [one, two] = await servers(2);
    if (one === undefined || two === undefined) throw new Error("no servers");
    const watch = new StalenessWatch();
    await withSeed(SEED, async (random) => {
      const untilMs = systemClock.monotonicMs() + RUN_MS_MAX;
      const running = (): boolean =>
        watch.checkedReads < CHECKED_READS && systemClock.monotonicMs() < untilMs;
      const writer = async (memory: Memory, key: string): Promise<void> => {
        for (let n = 0; running(); n += 1) {
          const removing = n % 3 === 2;
          await watch.write(key, removing ? "delete" : "set", () =>
            removing ? memory.delete(key) : memory.set(key, { n }, { tierHint: "l0" }),
          );
          await systemClock.sleep(wholeBelow(random, 30));
        }
      };
      const reader = async (memory: Memory): Promise<void> => {
        while (running()) {
          const key = KEYS[wholeBelow(random, KEYS.length)] ?? "a";
          await watch.read(key, memory);
          // Most reads are hits and take no time: others must have their turn.
          await systemClock.sleep(1);
        }
      };
      await Promise.all([
        writer(one, "a"),
        writer(one, "b"),
        writer(two, "c"),
        writer(two, "d"),
        ...[one, two, one, two].map(reader),
      ]);
    });
    expect(watch.violations).toEqual([]);
    expect(watch.checkedReads).toBeGreaterThanOrEqual(CHECKED_READS);
    await systemClock.sleep(MAX_STALENESS_MS);
    for (const key of KEYS) {
      const truth = await one.getItem(key, { consistency: "latest" });
      for (const memory of [one, two])
        expect((await memory.getItem(key))?.version).toBe(truth?.version);
    }
  });

  test("what one server cleared or forgot is gone on the other within the bound", async () => {
    const [one, two] = await servers(2);
    const cleared = ["space", "space/below"];
    for (const path of cleared) {
      await one?.namespace(path).set("k", 1);
      expect(await two?.namespace(path).get("k")).toBe(1);
    }
    await one?.set("forgotten", 1);
    expect(await two?.get("forgotten")).toBe(1);
    await one?.namespace("space").clear({ below: true });
    await one?.forget({ keys: ["forgotten"] });
    await systemClock.sleep(MAX_STALENESS_MS);
    for (const path of cleared) expect(await two?.namespace(path).get("k")).toBeUndefined();
    expect(await two?.get("forgotten")).toBeUndefined();
    expect(two?.peek("forgotten")).toBeUndefined();
  });

  test("a write is seen at once by latest, on any server", async () => {
    const [one, two] = await servers(2);
    for (let n = 0; n < 30; n += 1) {
      await one?.set("k", n);
      expect(await two?.get("k", { consistency: "latest" })).toBe(n);
      await two?.delete("k");
      expect(await one?.get("k", { consistency: "latest" })).toBeUndefined();
    }
  });

  test("counters lose nothing between two servers", async () => {
    const managers = await servers(2);
    const add = async (memory: Memory): Promise<void> => {
      for (let n = 0; n < 15; n += 1)
        await memory.update<number>("count", (current) => (current ?? 0) + 1);
    };
    await Promise.all(managers.flatMap((memory) => [add(memory), add(memory)]));
    expect(await managers[0]?.get("count", { consistency: "latest" })).toBe(60);
  });

  test("of 50 concurrent creations on two servers one wins", async () => {
    const managers = await servers(2);
    const results = await Promise.allSettled(
      Array.from({ length: 25 }).flatMap((_, n) =>
        managers.map((memory, server) => memory.compareAndSet("k", null, { n, server })),
      ),
    );
    const winner = results.findIndex(({ status }) => status === "fulfilled");
    expect(results.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    const expected = { n: Math.floor(winner / 2), server: winner % 2 };
    for (const memory of managers)
      expect(await memory.get("k", { consistency: "latest" })).toEqual(expected);
  });

  test("eight servers may start at once on an empty database", async () => {
    const managers = await servers(8);
    await managers[0]?.set("k", 1);
    for (const memory of managers) expect(await memory.get("k", { consistency: "latest" })).toBe(1);
  });
});

interface Change {
  readonly kind: "set" | "delete";
  /** Infinity while it is under way. */
  version: number;
  acknowledgedAtMs: number;
}

/**
 * Checks each read against the writes that were acknowledged a whole bound before it began. Each key
 * has one writer, so its changes are in the order of their versions.
 */
class StalenessWatch {
  readonly #changes = new Map<string, Change[]>(KEYS.map((key) => [key, []]));
  readonly violations: string[] = [];
  checkedReads = 0;

  async write(
    key: string,
    kind: Change["kind"],
    work: () => Promise<{ readonly version: string }>,
  ): Promise<void> {
    const change: Change = { kind, version: Infinity, acknowledgedAtMs: Infinity };
    this.#changes.get(key)?.push(change);
    change.version = Number((await work()).version);
    change.acknowledgedAtMs = systemClock.monotonicMs();
  }

  async read(key: string, memory: Memory): Promise<void> {
    const dueMs = systemClock.monotonicMs() - MAX_STALENESS_MS;
    const changes = this.#changes.get(key) ?? [];
    const at = changes.findLastIndex(({ acknowledgedAtMs }) => acknowledgedAtMs <= dueMs);
    const item = await memory.getItem(key);
    const due = changes[at];
    if (due === undefined) return;
    this.checkedReads += 1;
    const since = changes.slice(at);
    if (item === undefined) {
      if (!since.some(({ kind }) => kind === "delete"))
        this.violations.push(`${key}: absent, though ${due.version} was due`);
    } else if (Number(item.version) < due.version)
      this.violations.push(`${key}: served ${item.version}, though ${due.version} was due`);
  }
}
