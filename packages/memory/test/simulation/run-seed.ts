import { toMemoryError } from "../../src/model/errors.ts";
import type { Violation } from "./checker.ts";
import { scheduleFaults } from "./faults.ts";
import { ALL_REFS } from "./keys.ts";
import type { SimulatedServer } from "./simulated-server.ts";
import { Workload } from "./workload.ts";
import { World } from "./world.ts";
import type { WorldOptions } from "./world.ts";

export interface SeedReport {
  readonly seed: number;
  readonly violations: readonly Violation[];
  readonly events: number;
  readonly operations: number;
  readonly ended: number;
  readonly reads: number;
  /** Reads that showed what was not the newest any more. */
  readonly behind: number;
  /** Reads that a copy answered, of those that told. */
  readonly copies: number;
}

/** Before the workload: all servers are up. */
const START_MS = 60;
/** After it everything is well again, and so many bounds later all servers must agree. */
const CALM_BOUNDS = 2;
/** No operation and no transaction takes longer than so many then. */
const CALM_BOUNDS_MAX = 40;
/** What asking all of them takes. */
const LAST_LOOK_BOUNDS = 1;

/** One run of everything, the same for the same seed. */
export async function runSeed(
  seed: number,
  options: Omit<WorldOptions, "seed"> & { readonly prepare?: (world: World) => void } = {},
): Promise<SeedReport> {
  const world = new World({ seed, ...options });
  const { scheduler, plan, checker } = world;
  options.prepare?.(world);
  scheduler.trace(() => `seed ${seed}: ${JSON.stringify(plan)}`);
  for (const server of world.servers) server.start();
  await scheduler.runUntil(START_MS);
  const workload = new Workload(world);
  workload.schedule();
  scheduleFaults(world);
  await scheduler.runUntil(START_MS + plan.runMs);
  world.heal();
  scheduler.trace(() => "all is well again");
  await calm(world, workload);
  for (const server of world.servers) void agree(world, server);
  await scheduler.runUntil(scheduler.nowMs + LAST_LOOK_BOUNDS * plan.boundMs);
  checker.finish();
  return {
    seed,
    violations: checker.violations,
    events: scheduler.events,
    operations: workload.begun,
    ended: workload.ended,
    reads: checker.reads,
    behind: checker.behind,
    copies: checker.copies,
  };
}

/** Waits for all that is under way, and then so long that every server must know of it. */
async function calm(
  { scheduler, plan, database, checker }: World,
  workload: Workload,
): Promise<void> {
  const latestMs = scheduler.nowMs + CALM_BOUNDS_MAX * plan.boundMs;
  while (workload.underway() > 0 || !database.transactions.isIdle) {
    if (scheduler.nowMs > latestMs) {
      checker.fail("hangs", `${workload.underway()} operations are still under way`);
      return;
    }
    await scheduler.runUntil(scheduler.nowMs + plan.boundMs / 2);
  }
  await scheduler.runUntil(scheduler.nowMs + CALM_BOUNDS * plan.boundMs);
}

/** Each server says of each item what the database says. */
async function agree(world: World, server: SimulatedServer): Promise<void> {
  const { checker, database } = world;
  const { memory, process } = server;
  if (memory === undefined) {
    checker.fail("disagree", `${process.name} is not ready though all is well`);
    return;
  }
  for (const ref of ALL_REFS) {
    try {
      const before = database.read(ref);
      const item = await memory.namespace(ref.namespace).getItem(ref.key);
      const row = database.read(ref);
      // Its lifetime has ended meanwhile.
      if (before?.version !== row?.version) continue;
      const isFleeting = row === undefined && ref.namespace === "e";
      if (!isFleeting && Number(item?.version ?? 0) !== (row?.version ?? 0))
        checker.fail(
          "disagree",
          `${process.name} has ${ref.namespace} ${ref.key} v${item?.version} from ${item?.tier}, the database v${row?.version}`,
        );
    } catch (error) {
      checker.fail("disagree", `${process.name} ${ref.key}: ${toMemoryError(error).message}`);
    }
  }
}
