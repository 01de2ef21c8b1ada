import { Buffer } from "node:buffer";
import { randomUUID } from "node:crypto";
import { systemClock, systemRandom } from "../../src/model/clock.ts";
import type { ItemRecord, ItemRef } from "../../src/model/item.ts";
import type { LeaseRequest, SharedCopy } from "../../src/tiers/shared.ts";
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

export function record(ref: ItemRef, version: number, more: Partial<ItemRecord> = {}): ItemRecord {
  return {
    namespace: ref.namespace,
    key: ref.key,
    version,
    metadata: {},
    tags: [],
    createdAtMs: 1_700_000_000_000,
    updatedAtMs: 1_700_000_000_001,
    expiresAtMs: undefined,
    deadlineMs: Number.POSITIVE_INFINITY,
    body: Buffer.from(`value ${version}`),
    ...more,
  };
}

export function ref(key: string, namespace = "acme/agent"): ItemRef {
  return { namespace, key };
}

export function copyOf(at: ItemRef, version: number, provenAt = version): SharedCopy {
  return { record: record(at, version), provenAt };
}

export function wanted(at: ItemRef, minVersion = 0, minProvenAt = 0): LeaseRequest {
  return { ...at, minVersion, minProvenAt };
}

/** Version of what may be read; undefined: nothing. */
export async function versionAt(tier: RedisTier, at: ItemRef): Promise<number | undefined> {
  const [entry] = await tier.findMany([at]);
  return entry?.record.version;
}

/** Fills as a reader does who missed; false where there was no lease or it did not live. */
export async function fillAt(tier: RedisTier, at: ItemRef, version: number): Promise<boolean> {
  const [lease] = await tier.lease([wanted(at)]);
  if (lease === undefined) return false;
  const [stored] = await tier.fill([{ ...copyOf(at, version), lease }]);
  return stored === true;
}

export async function settle(
  tier: RedisTier,
  at: ItemRef,
  version: number,
  value: "copy" | "none" = "none",
): Promise<string | undefined> {
  const copy = value === "copy" ? copyOf(at, version) : undefined;
  const [outcome] = await tier.settle([{ ...at, version, copy }]);
  return outcome;
}
