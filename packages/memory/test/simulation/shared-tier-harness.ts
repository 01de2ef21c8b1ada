import type { SharedTierMaker, SharedTierOptions } from "../../src/testing/shared-suite/fixture.ts";
import { seededRandom } from "../../src/testing/seeded-random.ts";
import type { SharedTier } from "../../src/tiers/shared.ts";
import { Link } from "./link.ts";
import { Scheduler } from "./scheduler.ts";
import { SimulatedProcess } from "./simulated-process.ts";
import { SimulatedRedis } from "./simulated-redis.ts";
import { SimulatedSharedTier } from "./simulated-shared-tier.ts";

const HOUR_MS = 3_600_000;
const AT_ONCE = { usualMs: 0, lateShare: 0, lateMs: 0 };

/** Runs the events of a simulation for callers that only await. */
export class Pump {
  readonly scheduler: Scheduler = new Scheduler(seededRandom(1));
  #untilMs = 0;
  #isStopped = false;
  readonly #ended: Promise<void>;

  constructor() {
    this.#ended = this.#run();
  }

  async pass(durationMs: number): Promise<void> {
    this.#untilMs += durationMs;
    while (this.scheduler.nowMs < this.#untilMs) await turn();
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#ended;
  }

  async #run(): Promise<void> {
    while (!this.#isStopped) {
      await this.scheduler.runUntil(this.#untilMs);
      await turn();
    }
  }
}

function turn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

/** The simulated Redis without faults, for the suite that the real one passes. */
export class SharedTierHarness implements SharedTierMaker {
  readonly #pump = new Pump();
  readonly #redis = new SimulatedRedis({
    scheduler: this.#pump.scheduler,
    listener: { ephemeralSet: () => {} },
    repeatShare: 0,
  });
  readonly clock = new SimulatedProcess("suite", this.#pump.scheduler);

  open = async ({ epoch, leaseMs }: SharedTierOptions): Promise<SharedTier> => {
    const { scheduler } = this.#pump;
    const tier = new SimulatedSharedTier({
      scheduler,
      process: this.clock,
      redis: this.#redis,
      link: new Link(scheduler, AT_ONCE),
      lives: { leaseMs, copyMs: HOUR_MS, markerMs: HOUR_MS },
      commandTimeoutMs: HOUR_MS,
    });
    tier.useEpoch(epoch);
    return tier;
  };

  pass = (durationMs: number): Promise<void> => this.#pump.pass(durationMs);

  flush = async (): Promise<void> => this.#redis.flush();

  stop(): Promise<void> {
    return this.#pump.stop();
  }
}
