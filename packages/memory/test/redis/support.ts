import { randomUUID } from "node:crypto";
import { systemClock, systemRandom } from "../../src/model/clock.ts";
import { RedisTier } from "../../src/tiers/redis/redis-tier.ts";
import type { RedisTierOptions } from "../../src/tiers/redis/redis-tier.ts";

/** A busy machine must not look like a Redis that hangs; tests of the timeout set their own. */
const PATIENT = { commandTimeoutMs: 20_000, connectTimeoutMs: 10_000, startTimeoutMs: 20_000 };

const opened = new Set<RedisTier>();

/** A tier with an epoch of its own unless one is given. Closed by `closeTiers`. */
export async function openTier(
  url: string,
  options: Partial<RedisTierOptions> & { readonly epoch?: string } = {},
): Promise<RedisTier> {
  const { epoch = randomUUID(), ...rest } = options;
  const tier = new RedisTier({
    url,
    clock: systemClock,
    random: systemRandom,
    ...PATIENT,
    ...rest,
  });
  opened.add(tier);
  tier.useEpoch(epoch);
  await tier.initialize();
  return tier;
}

export async function closeTiers(): Promise<void> {
  for (const tier of opened) await tier.close();
  opened.clear();
}
