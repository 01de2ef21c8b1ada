import { afterAll, beforeAll, describe, test } from "vitest";
import { startRedis } from "@cherry-ai/services";
import type { RedisServer } from "@cherry-ai/services";
import { describeWithRedis } from "@cherry-ai/services/vitest";
import { systemClock } from "../src/model/clock.ts";
import { registerSuite, sharedTierSuite } from "../src/testing/index.ts";
import { SharedTierHarness } from "./simulation/shared-tier-harness.ts";
import { openTier } from "./redis/support.ts";

describe("simulated", () => {
  // What the simulation takes for Redis must do what Redis does.
  const harness = new SharedTierHarness();
  afterAll(() => harness.stop());
  registerSuite(sharedTierSuite("SimulatedSharedTier", harness), { describe, test });
});

describeWithRedis("real", () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedis();
  });
  afterAll(() => server.remove());
  const suite = sharedTierSuite("RedisTier", {
    open: (options) => openTier(server.url, options),
    clock: systemClock,
    pass: (durationMs) => systemClock.sleep(durationMs),
    flush: async () => void (await server.command("FLUSHDB")),
  });
  registerSuite(suite, { describe, test });
});
