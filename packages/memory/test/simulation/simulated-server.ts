import { UnifiedMemoryManager } from "../../src/manager/unified-memory-manager.ts";
import { HotTier } from "../../src/tiers/hot/hot-tier.ts";
import { ProcessTier } from "../../src/tiers/process/process-tier.ts";
import { DatabaseCalls } from "./database-calls.ts";
import { Floors } from "./floors.ts";
import { Link } from "./link.ts";
import { SimulatedAuthority } from "./simulated-authority.ts";
import { SimulatedProcess } from "./simulated-process.ts";
import { SimulatedSharedTier } from "./simulated-shared-tier.ts";
import type { World } from "./world.ts";

const TIER_BYTES = 64 * 1024;
const OBJECTS_MAX = 6;
const BYTES_ITEMS_MAX = 12;
/** Before a server that could not start is started again. */
const START_AGAIN_MS = 50;

/** One server of the fleet: a manager of ours in a process that may stand still, die and come back. */
export class SimulatedServer {
  readonly index: number;
  readonly toDatabase: Link;
  readonly toRedis: Link;
  readonly #world: World;
  #process: SimulatedProcess;
  #lives = 0;
  #memory: UnifiedMemoryManager | undefined;
  /** What this server has shown since it was started. */
  #floors = new Floors();

  constructor(world: World, index: number) {
    const { scheduler, plan } = world;
    this.index = index;
    this.#world = world;
    this.toDatabase = new Link(scheduler, plan.databasePace);
    this.toRedis = new Link(scheduler, plan.redisPace);
    this.#process = new SimulatedProcess(`s${index}`, scheduler);
  }

  get process(): SimulatedProcess {
    return this.#process;
  }

  get floors(): Floors {
    return this.#floors;
  }

  /** Ready for operations; undefined while it starts or is down. */
  get memory(): UnifiedMemoryManager | undefined {
    return this.#process.isAlive ? this.#memory : undefined;
  }

  start(): void {
    const { scheduler } = this.#world;
    this.#lives += 1;
    this.#floors = new Floors();
    const process = new SimulatedProcess(`s${this.index}.${this.#lives}`, scheduler);
    this.#process = process;
    void this.#open(process);
  }

  crash(downMs: number): void {
    if (!this.#process.isAlive) return;
    const { scheduler } = this.#world;
    scheduler.trace(() => `${this.#process.name} dies`);
    this.#process.die();
    this.#memory = undefined;
    scheduler.after(downMs, () => this.start());
  }

  heal(): void {
    this.toDatabase.heal();
    this.toRedis.heal();
  }

  async #open(process: SimulatedProcess): Promise<void> {
    for (;;) {
      const memory = this.#make(process);
      try {
        await memory.initialize();
        this.#memory = memory;
        this.#world.scheduler.trace(() => `${process.name} is ready`);
        return;
      } catch {
        await process.sleep(START_AGAIN_MS);
      }
    }
  }

  #make(process: SimulatedProcess): UnifiedMemoryManager {
    const { scheduler, plan, database, redis } = this.#world;
    const calls = new DatabaseCalls({
      scheduler,
      process,
      database,
      link: this.toDatabase,
      timeoutMs: plan.databaseTimeoutMs,
    });
    const bounds = { maxBytes: TIER_BYTES, clock: process };
    return new UnifiedMemoryManager(
      {
        maxStalenessMs: plan.boundMs,
        optimization: { enabled: true, sweepIntervalMs: plan.sweepIntervalMs },
        metrics: { enabled: false, prometheusEnabled: false },
      },
      {
        clock: process,
        random: scheduler.random,
        tiers: async () => ({
          objects: new HotTier({ ...bounds, maxItems: OBJECTS_MAX }),
          bytes: new ProcessTier({
            ...bounds,
            maxItems: BYTES_ITEMS_MAX,
            eviction: "lru",
            hashSeed: 1,
          }),
          shared:
            redis &&
            new SimulatedSharedTier({
              scheduler,
              process,
              redis,
              link: this.toRedis,
              lives: plan.lives,
              commandTimeoutMs: plan.redisTimeoutMs,
            }),
          authority: new SimulatedAuthority(database, process, calls),
        }),
      },
    );
  }
}
