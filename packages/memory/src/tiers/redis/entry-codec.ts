import { Buffer } from "node:buffer";
import { hash } from "node:crypto";
import { crc32 } from "node:zlib";
import { clearText } from "../../codec/sound-text.ts";
import type { ItemRecord, ItemRef, JsonObject } from "../../model/item.ts";
import { deepFreeze } from "../../model/value.ts";
import type { SharedCopy, SharedEntry } from "../shared.ts";
import { checkStart } from "./entry-check.ts";
import { DIGITS, digits, readDigits } from "./entry-digits.ts";

/**
 * How an entry lies in Redis, format 1 (the number is part of the key). Numbers of the head are 16
 * decimal digits, for scripts read and write them; those of the facts are little-endian.
 *
 *     copy       "C" version provenAt
 *     ephemeral  "E" version provenAt baseVersion expiresAtMs(0: never) check
 *                check: 8 first hex digits of the SHA-1 of what stands before it
 *     marker     "M" version
 *     lease      "L" minVersion grantedAtMs token
 *
 * Copies and ephemeral items go on with the facts, the body, and a check at the end:
 *
 *     0   u8   1: has a TTL
 *     1   f64  createdAtMs      9  f64  updatedAtMs      17  f64  expiresAtMs, NaN: none
 *    25   u32  bytes of the JSON text of [metadata, tags]; 0: none
 *    29        that text, then the body, then
 *         u32  CRC-32, begun with a number made of key and namespace, of all before it; of an ephemeral
 *              item without its head
 *
 * One check for all, body too, and none of the body alone: calls out of JavaScript are what costs.
 * What is damaged or unknown is no entry, never an error.
 */
const COPY = 0x43;
const EPHEMERAL = 0x45;
const PROVEN_AT = 1 + DIGITS;
const COPY_HEAD_BYTES = 1 + 2 * DIGITS;
const BASE_AT = 1 + 2 * DIGITS;
const EXPIRES_AT = 1 + 3 * DIGITS;
const CHECK_AT = 1 + 4 * DIGITS;
const CHECK_BYTES = 8;
const EPHEMERAL_HEAD_BYTES = CHECK_AT + CHECK_BYTES;
const FACTS_BYTES = 29;
const CREATED_AT = 1;
const UPDATED_AT = 9;
const EXPIRES_FACT_AT = 17;
const EXTRA_BYTES_AT = 25;
const CRC_BYTES = 4;
/** What the CRC-32 of anything followed by its own CRC-32 is, wherever it began. */
const CRC_RESIDUE = 0x2144_df1c;
const HAS_TTL = 1;
type Extra = readonly [metadata: JsonObject, tags: readonly string[]];
const NO_EXTRA: Extra = [Object.freeze({}), Object.freeze([])];

/** The deadline of what has a lifetime, until it is learned how much of that is left. */
export const UNKNOWN_DEADLINE: number = Number.NEGATIVE_INFINITY;

export function hasTtl(record: ItemRecord): boolean {
  return record.expiresAtMs !== undefined || record.deadlineMs !== Number.POSITIVE_INFINITY;
}

export function encodeCopy(copy: SharedCopy): Buffer {
  const { record, provenAt } = copy;
  const head = `C${digits(record.version)}${digits(provenAt)}`;
  return encode(record, head);
}

/** What follows the head of an ephemeral item: the head is made by the script that stores it. */
export function encodeEphemeralRest(record: ItemRecord): Buffer {
  return encode(record, "");
}

function encode(record: ItemRecord, head: string): Buffer {
  const { metadata, tags, body } = record;
  const plain = tags.length === 0 && Object.keys(metadata).length === 0;
  const extra = plain ? "" : JSON.stringify([metadata, tags]);
  const extraBytes = plain ? 0 : Buffer.byteLength(extra);
  const at = head.length;
  const bodyAt = at + FACTS_BYTES + extraBytes;
  const checkAt = bodyAt + body.byteLength;
  const bytes = Buffer.allocUnsafe(checkAt + CRC_BYTES);
  bytes.write(head, 0, "latin1");
  bytes[at] = hasTtl(record) ? HAS_TTL : 0;
  bytes.writeDoubleLE(record.createdAtMs, at + CREATED_AT);
  bytes.writeDoubleLE(record.updatedAtMs, at + UPDATED_AT);
  bytes.writeDoubleLE(record.expiresAtMs ?? Number.NaN, at + EXPIRES_FACT_AT);
  bytes.writeUInt32LE(extraBytes, at + EXTRA_BYTES_AT);
  if (!plain) bytes.write(extra, at + FACTS_BYTES);
  bytes.set(body, bodyAt);
  bytes.writeUInt32LE(crc32(bytes.subarray(0, checkAt), checkStart(record)), checkAt);
  return bytes;
}

/** Whether it says of itself that it is an item; one that then cannot be decoded is damaged. */
export function claimsItem(bytes: Buffer): boolean {
  return bytes[0] === COPY || bytes[0] === EPHEMERAL;
}

/**
 * The entry, with `UNKNOWN_DEADLINE` where it has a lifetime. Undefined: a marker, a lease, damage, or
 * what another release may have put there.
 */
export function decodeEntry(bytes: Buffer, ref: ItemRef): DecodedEntry | undefined {
  const version = readDigits(bytes, 1);
  const provenAt = readDigits(bytes, PROVEN_AT);
  if (version === undefined || provenAt === undefined) return undefined;
  if (bytes[0] === COPY) {
    if (crc32(bytes, checkStart(ref)) !== CRC_RESIDUE) return undefined;
    const record = recordAt(bytes, { at: COPY_HEAD_BYTES, ref, version });
    return record && { kind: "copy", record, provenAt, baseVersion: 0 };
  }
  if (bytes[0] !== EPHEMERAL) return undefined;
  const baseVersion = readDigits(bytes, BASE_AT);
  const expiresAtMs = readDigits(bytes, EXPIRES_AT);
  if (baseVersion === undefined || expiresAtMs === undefined) return undefined;
  const check = bytes.toString("latin1", CHECK_AT, EPHEMERAL_HEAD_BYTES);
  if (!hash("sha1", bytes.subarray(0, CHECK_AT), "hex").startsWith(check)) return undefined;
  if (crc32(bytes.subarray(EPHEMERAL_HEAD_BYTES), checkStart(ref)) !== CRC_RESIDUE)
    return undefined;
  const record = recordAt(bytes, { at: EPHEMERAL_HEAD_BYTES, ref, version });
  if (record === undefined) return undefined;
  // Its head alone says how long it lives: a touch changes that.
  record.expiresAtMs = expiresAtMs === 0 ? undefined : expiresAtMs;
  record.deadlineMs = expiresAtMs === 0 ? Number.POSITIVE_INFINITY : UNKNOWN_DEADLINE;
  return { kind: "ephemeral", record, provenAt, baseVersion };
}

/** Undefined when it is too short. Its check must hold. */
function recordAt(
  bytes: Buffer,
  { at, ref, version }: { readonly at: number; readonly ref: ItemRef; readonly version: number },
): EntryRecord | undefined {
  const end = bytes.length - CRC_BYTES;
  if (end < at + FACTS_BYTES) return undefined;
  const factsEnd = at + FACTS_BYTES;
  const bodyAt = factsEnd + bytes.readUInt32LE(at + EXTRA_BYTES_AT);
  return bodyAt > end ? undefined : new EntryRecord(bytes, { at, bodyAt, ref, version });
}

export interface DecodedEntry extends SharedEntry {
  readonly record: EntryRecord;
}

/** The record of a sound entry. Of most entries little but the value is asked for. */
class EntryRecord implements ItemRecord {
  readonly namespace: string;
  readonly key: string;
  readonly version: number;
  expiresAtMs: number | undefined;
  deadlineMs: number;
  readonly #bytes: Buffer;
  readonly #at: number;
  readonly #bodyAt: number;
  #parsed: Extra | undefined;

  constructor(
    bytes: Buffer,
    place: {
      readonly at: number;
      readonly bodyAt: number;
      readonly ref: ItemRef;
      readonly version: number;
    },
  ) {
    const { at, bodyAt, ref, version } = place;
    this.#bytes = bytes;
    this.#at = at;
    this.#bodyAt = bodyAt;
    this.namespace = ref.namespace;
    this.key = ref.key;
    this.version = version;
    this.expiresAtMs = undefined;
    this.deadlineMs = Number.POSITIVE_INFINITY;
    if (bytes[at] === HAS_TTL) {
      const expiresAtMs = bytes.readDoubleLE(at + EXPIRES_FACT_AT);
      this.expiresAtMs = Number.isNaN(expiresAtMs) ? undefined : expiresAtMs;
      this.deadlineMs = UNKNOWN_DEADLINE;
    }
  }

  get createdAtMs(): number {
    return this.#bytes.readDoubleLE(this.#at + CREATED_AT);
  }

  get updatedAtMs(): number {
    return this.#bytes.readDoubleLE(this.#at + UPDATED_AT);
  }

  get metadata(): JsonObject {
    return this.#extra()[0];
  }

  get tags(): readonly string[] {
    return this.#extra()[1];
  }

  get body(): Uint8Array {
    return this.#bytes.subarray(this.#bodyAt, this.#bytes.length - CRC_BYTES);
  }

  /** See `ItemRecord`. */
  checkedText(): string | undefined {
    return clearText(this.#bytes, this.#bodyAt, this.#bytes.length - CRC_BYTES);
  }

  #extra(): Extra {
    this.#parsed ??= this.#parseExtra();
    return this.#parsed;
  }

  #parseExtra(): Extra {
    const from = this.#at + FACTS_BYTES;
    if (from === this.#bodyAt) return NO_EXTRA;
    // Its check holds, so it is what `encode` wrote.
    const text = this.#bytes.toString("utf8", from, this.#bodyAt);
    return deepFreeze(JSON.parse(text) as [JsonObject, readonly string[]]);
  }
}
