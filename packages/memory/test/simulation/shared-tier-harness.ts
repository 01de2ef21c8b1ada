import type { SharedTierMaker, SharedTierOptions } from "../../src/testing/shared-suite/fixture.ts";
import type { SharedTier } from "../../src/tiers/shared.ts";
import { Link } from "./link.ts";
import { Pump } from "./pump.ts";
import { SimulatedProcess } from "./simulated-process.ts";
import { SimulatedRedis } from "./simulated-redis.ts";
import { SimulatedSharedTier } from "./simulated-shared-tier.ts";

const HOUR_MS = 3_600_000;
const AT_ONCE = { usualMs: 0, lateShare: 0, lateMs: 0 };

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
