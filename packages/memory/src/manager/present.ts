import type { JsonValue, MemoryItem } from "../model/item.ts";
import type { ItemMeta, MemoryTier } from "../model/item.ts";
import { deepFreeze } from "../model/value.ts";
import type { Core } from "./core.ts";
import type { RawItem } from "./memory.ts";
import type { ReadPath, ServedObject, ServedRecord } from "./read-path.ts";

const MS_PER_SECOND = 1000;

/** What is shown of an item beside its value. */
function about(
  core: Core,
  record: ItemMeta,
  shown: { readonly tier: MemoryTier; readonly sizeBytes: number; readonly checksum: string },
): Omit<MemoryItem, "value"> {
  const access = core.accesses.record(record);
  const { expiresAtMs, deadlineMs } = record;
  const leftMs = deadlineMs - core.clock.monotonicMs();
  return {
    namespace: record.namespace,
    key: record.key,
    // Copies share them: whoever holds the item must not be able to change what others see.
    metadata: deepFreeze(record.metadata),
    tags: Object.freeze(record.tags),
    tier: shown.tier,
    version: String(record.version),
    createdAt: new Date(record.createdAtMs).toISOString(),
    updatedAt: new Date(record.updatedAtMs).toISOString(),
    accessedAt: new Date(access.atMs).toISOString(),
    accessCount: access.count,
    sizeBytes: shown.sizeBytes,
    ...(expiresAtMs === undefined
      ? {}
      : {
          ttlSeconds: Math.max(0, leftMs / MS_PER_SECOND),
          expiresAt: new Date(expiresAtMs).toISOString(),
        }),
    checksum: shown.checksum,
  };
}

/** An item as callers of the library see it. */
export function presentItem(core: Core, served: ServedObject): MemoryItem {
  const { record, encoded, tier } = served;
  const body = encoded?.body ?? core.codec.encode(record.value, record);
  const checksum = core.codec.checksum(body, record);
  const value: JsonValue = record.value;
  const { sizeBytes } = record;
  return Object.freeze({ ...about(core, record, { tier, sizeBytes, checksum }), value });
}

/** The same with its value still encoded, for the HTTP server. */
export function presentRaw(core: Core, read: ReadPath, served: ServedRecord): RawItem {
  const { record, tier, copy } = served;
  const { codec } = core;
  const degradedAgeMs = read.degradedAgeMs(copy);
  const shown = {
    tier,
    sizeBytes: codec.valueBytes(record.body),
    checksum: codec.checksum(record.body, record),
  };
  return {
    ...about(core, record, shown),
    valueJson: codec.json(record.body, record),
    ...(degradedAgeMs === undefined ? {} : { degradedAgeMs }),
  };
}
