import assert from "node:assert/strict";
import type { ItemMeta, ItemRecord, JsonValue, ObjectRecord } from "../../model/item.ts";
import type { LocalTier } from "../../tiers/tier.ts";
import { ManualClock } from "../manual-clock.ts";
import type { SuiteCase } from "../suite.ts";

export type LocalRecord = ItemRecord | ObjectRecord;

export interface LocalTierBounds {
  readonly maxBytes: number;
  readonly maxItems: number;
}

/** How the suite makes the tier under test and the records that it holds. */
export interface LocalTierMaker<R extends LocalRecord> {
  readonly make: (bounds: LocalTierBounds & { readonly clock: ManualClock }) => LocalTier<R>;
  /** A record with these facts and about `sizeBytes` of value. */
  readonly record: (meta: ItemMeta, sizeBytes: number) => R;
}

/** What a case says of a record; the rest has ordinary values. */
export interface RecordFacts {
  readonly namespace?: string;
  readonly key: string;
  readonly version?: number;
  readonly deadlineMs?: number;
  readonly sizeBytes?: number;
}

/** One tier under test with its clock. */
export interface LocalTierFixture<R extends LocalRecord> {
  readonly tier: LocalTier<R>;
  readonly clock: ManualClock;
  readonly record: (facts: RecordFacts) => R;
  /** Offers and expects it to be stored. */
  readonly store: (facts: RecordFacts) => R;
  /** Version found, or undefined. */
  readonly find: (key: string, namespace?: string) => number | undefined;
}

export const SIZE_BYTES = 100;
const ROOMY: LocalTierBounds = { maxBytes: 10_000_000, maxItems: 100_000 };

async function openFixture<R extends LocalRecord>(
  maker: LocalTierMaker<R>,
  bounds: Partial<LocalTierBounds> = {},
): Promise<LocalTierFixture<R>> {
  const clock = new ManualClock({ monotonicMs: 1_000 });
  const tier = maker.make({ ...ROOMY, ...bounds, clock });
  await tier.initialize();
  const record = (facts: RecordFacts): R =>
    maker.record(metaOf(facts), facts.sizeBytes ?? SIZE_BYTES);
  return {
    tier,
    clock,
    record,
    store: (facts) => {
      const offered = record(facts);
      assert.equal(tier.offer(offered), "stored", `offer of ${facts.key}`);
      return offered;
    },
    find: (key, namespace = "") => tier.find(namespace, key)?.version,
  };
}

/** A case that opens its own tier and closes it. */
export function localCase<R extends LocalRecord>(
  maker: LocalTierMaker<R>,
  name: string,
  body: (fixture: LocalTierFixture<R>) => Promise<void> | void,
  bounds: Partial<LocalTierBounds> = {},
): SuiteCase {
  return {
    name,
    run: async () => {
      const fixture = await openFixture(maker, bounds);
      try {
        await body(fixture);
      } finally {
        await fixture.tier.close();
      }
    },
  };
}

function metaOf(facts: RecordFacts): ItemMeta {
  return {
    namespace: facts.namespace ?? "",
    key: facts.key,
    version: facts.version ?? 1,
    metadata: { kind: "test" },
    tags: ["a"],
    createdAtMs: 0,
    updatedAtMs: 0,
    expiresAtMs: undefined,
    deadlineMs: facts.deadlineMs ?? Number.POSITIVE_INFINITY,
  };
}

/** A record of encoded bytes, as byte tiers hold. */
export function byteRecord(meta: ItemMeta, sizeBytes: number): ItemRecord {
  return { ...meta, body: new Uint8Array(sizeBytes).fill(meta.version % 251) };
}

/** A decoded and frozen record, as object tiers hold. */
export function objectRecord(meta: ItemMeta, sizeBytes: number): ObjectRecord {
  const value: JsonValue = Object.freeze({ version: meta.version, filler: "x".repeat(sizeBytes) });
  return { ...meta, value, sizeBytes };
}
