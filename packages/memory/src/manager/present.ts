import { checksumText } from "../codec/sound-text.ts";
import type { JsonValue, MemoryItem } from "../model/item.ts";
import type { ItemMeta, MemoryTier } from "../model/item.ts";
import { IsoTimes } from "../model/iso-time.ts";
import { deepFreeze } from "../model/value.ts";
import type { Core } from "./core.ts";
import type { RawItem } from "./memory.ts";
import type { ServedRecord } from "./fetcher.ts";
import type { ReadPath, ServedObject } from "./read-path.ts";

const MS_PER_SECOND = 1000;
/** Only remembers how a day is written. */
const TIMES = new IsoTimes();

/** What is shown of an item beside its value. */
function about(
  core: Core,
  record: ItemMeta,
  shown: { readonly tier: MemoryTier; readonly sizeBytes: number; readonly checksum: string },
): Omit<MemoryItem, "value"> {
  const access = core.accesses.record(record);
  const { expiresAtMs } = record;
  return {
    namespace: record.namespace,
    key: record.key,
    // Copies share them: whoever holds the item must not be able to change what others see.
    metadata: deepFreeze(record.metadata),
    tags: Object.freeze(record.tags),
    tier: shown.tier,
    version: String(record.version),
    createdAt: TIMES.text(record.createdAtMs),
    updatedAt: TIMES.text(record.updatedAtMs),
    accessedAt: TIMES.text(access.atMs),
    accessCount: access.count,
    sizeBytes: shown.sizeBytes,
    ...(expiresAtMs === undefined ? {} : expiry(core, record, expiresAtMs)),
    checksum: shown.checksum,
  };
}

/** An item as callers of the library see it. */
export function presentItem(core: Core, served: ServedObject): MemoryItem {
  const { record, tier } = served;
  const checksum = checksumOf(core, served);
  const value: JsonValue = record.value;
  const { sizeBytes } = record;
  return Object.freeze({ ...about(core, record, { tier, sizeBytes, checksum }), value });
}

function checksumOf({ codec }: Core, { record, encoded, crc }: ServedObject): string {
  if (crc !== undefined) return checksumText(crc);
  return codec.checksum(encoded?.body ?? codec.encode(record.value, record), record);
}

/** The same with its value still encoded, for the HTTP server. */
export function presentRaw(core: Core, read: ReadPath, served: ServedRecord): RawItem {
  const { record, tier, copy } = served;
  const { codec } = core;
  const { body, expiresAtMs } = record;
  const access = core.accesses.record(record);
  const degradedAgeMs = read.degradedAgeMs(copy);
  // Written out: spreading `about` into it cost a tenth of a hit.
  const item = {
    namespace: record.namespace,
    key: record.key,
    valueJson: codec.json(body, record),
    metadata: record.metadata,
    tags: record.tags,
    tier,
    version: String(record.version),
    createdAt: TIMES.text(record.createdAtMs),
    updatedAt: TIMES.text(record.updatedAtMs),
    accessedAt: TIMES.text(access.atMs),
    accessCount: access.count,
    sizeBytes: codec.valueBytes(body),
    checksum: codec.checksum(body, record),
  };
  if (expiresAtMs === undefined && degradedAgeMs === undefined) return item;
  return {
    ...item,
    ...(expiresAtMs === undefined ? {} : expiry(core, record, expiresAtMs)),
    ...(degradedAgeMs === undefined ? {} : { degradedAgeMs }),
  };
}

function expiry(
  core: Core,
  record: ItemMeta,
  expiresAtMs: number,
): { readonly ttlSeconds: number; readonly expiresAt: string } {
  const leftMs = record.deadlineMs - core.clock.monotonicMs();
  return {
    ttlSeconds: Math.max(0, leftMs / MS_PER_SECOND),
    expiresAt: TIMES.text(expiresAtMs),
  };
}
