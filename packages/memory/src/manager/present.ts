import { Buffer } from "node:buffer";
import { checksumText } from "../codec/sound-text.ts";
import { attributesText } from "../model/attributes.ts";
import type { JsonValue, MemoryItem } from "../model/item.ts";
import type { ItemMeta, ItemRef, MemoryTier } from "../model/item.ts";
import { IsoTimes } from "../model/iso-time.ts";
import { deepFreeze } from "../model/value.ts";
import type { Core } from "./core.ts";
import type { RawItem } from "./memory.ts";
import type { PathOptions } from "./path-options.ts";
import type { ServedObject } from "./read-path.ts";
import type { Parts } from "./runtime.ts";

const MS_PER_SECOND = 1000;
/** Only remembers how a day is written. */
const TIMES = new IsoTimes();

const NO_ATTRIBUTES = '"metadata":{},"tags":[]';

/** What is known of an item in any form. */
type RecordFacts = Omit<ItemMeta, "metadata" | "tags">;

type RawFacts = Pick<
  RawItem,
  "tier" | "valueJson" | "attributesJson" | "sizeBytes" | "checksum"
> & { readonly degradedAgeMs: number | undefined };

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

/** The same still encoded, for the HTTP server; at once when a copy is at hand. */
export function readRaw(
  { core, read }: Pick<Parts, "core" | "read">,
  ref: ItemRef,
  options: PathOptions | undefined,
): RawItem | Promise<RawItem | undefined> {
  const { codec, copies } = core;
  const text = read.findText(ref, options, "latin1");
  if (text !== undefined && copies.bytes !== undefined)
    return presentRaw(core, text, {
      tier: copies.bytes.name,
      valueJson: text.text,
      attributesJson: text.attributes === "" ? NO_ATTRIBUTES : text.attributes,
      sizeBytes: text.sizeBytes,
      checksum: checksumText(text.crc),
      degradedAgeMs: read.degradedAgeMs(true),
    });
  return read.readEncoded(ref, options, ({ record, tier, copy }) =>
    presentRaw(core, record, {
      tier,
      valueJson: codec.json(record.body, record),
      attributesJson: byteText(attributesText(record)) || NO_ATTRIBUTES,
      sizeBytes: codec.valueBytes(record.body),
      checksum: codec.checksum(record.body, record),
      degradedAgeMs: read.degradedAgeMs(copy),
    }),
  );
}

function presentRaw(core: Core, record: RecordFacts, shown: RawFacts): RawItem {
  const access = core.accesses.record(record);
  const { expiresAtMs } = record;
  const { degradedAgeMs } = shown;
  // Written out: spreading `about` into it cost a tenth of a hit.
  const item = {
    namespace: record.namespace,
    key: record.key,
    valueJson: shown.valueJson,
    attributesJson: shown.attributesJson,
    tier: shown.tier,
    version: String(record.version),
    createdAt: TIMES.text(record.createdAtMs),
    updatedAt: TIMES.text(record.updatedAtMs),
    accessedAt: TIMES.text(access.atMs),
    accessCount: access.count,
    sizeBytes: shown.sizeBytes,
    checksum: shown.checksum,
  };
  if (expiresAtMs === undefined && degradedAgeMs === undefined) return item;
  return {
    ...item,
    ...(expiresAtMs === undefined ? {} : expiry(core, record, expiresAtMs)),
    ...(degradedAgeMs === undefined ? {} : { degradedAgeMs }),
  };
}

/** The UTF-8 form of a text, a character a byte. */
function byteText(text: string): string {
  return Buffer.byteLength(text) === text.length ? text : Buffer.from(text).toString("latin1");
}

function expiry(
  core: Core,
  record: RecordFacts,
  expiresAtMs: number,
): { readonly ttlSeconds: number; readonly expiresAt: string } {
  const leftMs = record.deadlineMs - core.clock.monotonicMs();
  return {
    ttlSeconds: Math.max(0, leftMs / MS_PER_SECOND),
    expiresAt: TIMES.text(expiresAtMs),
  };
}
