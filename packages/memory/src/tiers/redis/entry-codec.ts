import { Buffer } from "node:buffer";
import { hash } from "node:crypto";
import type { ItemRecord, ItemRef, JsonObject } from "../../model/item.ts";
import { deepFreeze } from "../../model/value.ts";
import type { SharedCopy, SharedEntry } from "../shared.ts";
import { CHECK_START, checkBytes, checkEnd, checkText } from "./entry-check.ts";
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
 * Copies and ephemeral items go on with the facts and the body, which carries a checksum of its own:
 *
 *     0   u32  CRC-32 of the head (of a copy), the rest of the facts, the letters of key and namespace
 *     4   u8   1: has a TTL
 *     5   f64  createdAtMs      13  f64  updatedAtMs      21  f64  expiresAtMs, NaN: none
 *    29   u32  bytes of the JSON text of [metadata, tags]; 0: none
 *    33        that text, then the body
 *
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
const FACTS_BYTES = 33;
const HAS_TTL = 1;
const NO_METADATA: JsonObject = Object.freeze({});
const NO_TAGS: readonly string[] = Object.freeze([]);

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
  const bytes = Buffer.allocUnsafe(bodyAt + body.byteLength);
  bytes.write(head, 0, "latin1");
  bytes[at + 4] = hasTtl(record) ? HAS_TTL : 0;
  bytes.writeDoubleLE(record.createdAtMs, at + 5);
  bytes.writeDoubleLE(record.updatedAtMs, at + 13);
  bytes.writeDoubleLE(record.expiresAtMs ?? Number.NaN, at + 21);
  bytes.writeUInt32LE(extraBytes, at + 29);
  if (!plain) bytes.write(extra, at + FACTS_BYTES);
  bytes.set(body, bodyAt);
  bytes.writeUInt32LE(factsCheck(bytes, { from: 0, at, bodyAt, ref: record }), at);
  return bytes;
}

interface Facts {
  /** Where that begins which is checked. */
  readonly from: number;
  /** Where the facts begin, with their check. */
  readonly at: number;
  readonly bodyAt: number;
  readonly ref: ItemRef;
}

function factsCheck(bytes: Buffer, { from, at, bodyAt, ref }: Facts): number {
  const head = checkBytes(CHECK_START, bytes, from, at);
  const facts = checkBytes(head, bytes, at + 4, bodyAt);
  // With the length between them no two items have the same letters.
  return checkEnd(checkText(checkText(facts, ref.key) ^ ref.key.length, ref.namespace));
}

/** Whether it says of itself that it is an item; one that then cannot be decoded is damaged. */
export function claimsItem(bytes: Buffer): boolean {
  return bytes[0] === COPY || bytes[0] === EPHEMERAL;
}

/**
 * The entry, with `UNKNOWN_DEADLINE` where it has a lifetime. Undefined: a marker, a lease, damage, or
 * what another release may have put there.
 */
export function decodeEntry(bytes: Buffer, ref: ItemRef): SharedEntry | undefined {
  const version = readDigits(bytes, 1);
  const provenAt = readDigits(bytes, PROVEN_AT);
  if (version === undefined || provenAt === undefined) return undefined;
  if (bytes[0] === COPY) {
    const record = decodeRecord(bytes, { ref, version, at: COPY_HEAD_BYTES, headAt: 0 });
    return record === undefined ? undefined : { kind: "copy", record, provenAt, baseVersion: 0 };
  }
  if (bytes[0] !== EPHEMERAL) return undefined;
  const baseVersion = readDigits(bytes, BASE_AT);
  const expiresAtMs = readDigits(bytes, EXPIRES_AT);
  if (baseVersion === undefined || expiresAtMs === undefined) return undefined;
  const check = bytes.toString("latin1", CHECK_AT, EPHEMERAL_HEAD_BYTES);
  if (!hash("sha1", bytes.subarray(0, CHECK_AT), "hex").startsWith(check)) return undefined;
  const at = EPHEMERAL_HEAD_BYTES;
  const record = decodeRecord(bytes, { ref, version, at, headAt: at });
  if (record === undefined) return undefined;
  // Its head alone says how long it lives: a touch changes that.
  const life =
    expiresAtMs === 0
      ? { expiresAtMs: undefined, deadlineMs: Number.POSITIVE_INFINITY }
      : { expiresAtMs, deadlineMs: UNKNOWN_DEADLINE };
  return { kind: "ephemeral", record: { ...record, ...life }, provenAt, baseVersion };
}

interface RecordPlace {
  readonly ref: ItemRef;
  readonly version: number;
  /** Where the facts begin. */
  readonly at: number;
  /** Where that begins which their check covers. */
  readonly headAt: number;
}

function decodeRecord(bytes: Buffer, place: RecordPlace): ItemRecord | undefined {
  const { ref, version, at, headAt } = place;
  if (bytes.length < at + FACTS_BYTES) return undefined;
  const extraBytes = bytes.readUInt32LE(at + 29);
  const bodyAt = at + FACTS_BYTES + extraBytes;
  if (bodyAt > bytes.length) return undefined;
  const facts = { from: headAt, at, bodyAt, ref };
  if (bytes.readUInt32LE(at) !== factsCheck(bytes, facts)) return undefined;
  const isTimed = bytes[at + 4] === HAS_TTL;
  const expiresAtMs = isTimed ? bytes.readDoubleLE(at + 21) : Number.NaN;
  let metadata = NO_METADATA;
  let tags = NO_TAGS;
  if (extraBytes > 0) {
    // Its check holds, so it is what `encode` wrote.
    const text = bytes.toString("utf8", at + FACTS_BYTES, bodyAt);
    [metadata, tags] = deepFreeze(JSON.parse(text) as [JsonObject, readonly string[]]);
  }
  return {
    namespace: ref.namespace,
    key: ref.key,
    version,
    metadata,
    tags,
    createdAtMs: bytes.readDoubleLE(at + 5),
    updatedAtMs: bytes.readDoubleLE(at + 13),
    expiresAtMs: Number.isNaN(expiresAtMs) ? undefined : expiresAtMs,
    deadlineMs: isTimed ? UNKNOWN_DEADLINE : Number.POSITIVE_INFINITY,
    body: bytes.subarray(bodyAt),
  };
}
