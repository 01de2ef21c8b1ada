import { Buffer } from "node:buffer";
import { hash } from "node:crypto";
import fc from "fast-check";
import { expect, test } from "vitest";
import { Codec } from "../../codec/codec.ts";
import type { ItemRecord, JsonValue } from "../../model/item.ts";
import type { DecodedEntry } from "./entry-codec.ts";
import {
  UNKNOWN_DEADLINE,
  claimsItem,
  decodeEntry,
  encodeCopy,
  encodeEphemeralRest,
} from "./entry-codec.ts";
import { digits, readDigits } from "./entry-digits.ts";

const REF = { namespace: "acme/agent", key: "k" };

const whole = fc.maxSafeNat();
const time = fc.double({ min: 0, max: 4e12, noNaN: true });
const records: fc.Arbitrary<ItemRecord> = fc.record({
  namespace: fc.constant(REF.namespace),
  key: fc.constant(REF.key),
  version: whole,
  metadata: fc.dictionary(fc.string(), fc.oneof(fc.string(), fc.integer(), fc.boolean())),
  tags: fc.array(fc.string({ unit: "grapheme" })),
  createdAtMs: time,
  updatedAtMs: time,
  expiresAtMs: fc.constant(undefined),
  deadlineMs: fc.constant(Number.POSITIVE_INFINITY),
  body: fc.uint8Array().map((bytes) => Buffer.from(bytes)),
});

function ephemeral(record: ItemRecord, numbers: readonly number[]): Buffer {
  const head = `E${numbers.map(digits).join("")}`;
  const check = hash("sha1", head, "hex").slice(0, 8);
  return Buffer.concat([Buffer.from(head + check), encodeEphemeralRest(record)]);
}

/** A decoded entry makes its members when they are asked for. */
function shown(entry: DecodedEntry | undefined): unknown {
  if (entry === undefined) return undefined;
  const { namespace, key, version, metadata, tags, createdAtMs, updatedAtMs } = entry.record;
  const { expiresAtMs, deadlineMs, body } = entry.record;
  const record = { namespace, key, version, metadata, tags, createdAtMs, updatedAtMs };
  return { ...entry, record: { ...record, expiresAtMs, deadlineMs, body } };
}

// JSON has no __proto__ of its own and no minus zero.
function plain(record: ItemRecord): ItemRecord {
  return { ...record, metadata: JSON.parse(JSON.stringify(record.metadata)) as {} };
}

test("a copy comes back as it was", () => {
  fc.assert(
    fc.property(records, whole, (record, provenAt) => {
      const bytes = encodeCopy({ record, provenAt });
      expect(claimsItem(bytes)).toBe(true);
      expect(shown(decodeEntry(bytes, REF))).toEqual({
        kind: "copy",
        record: plain(record),
        provenAt,
        baseVersion: 0,
      });
    }),
  );
});

test("an ephemeral item comes back as it was, with what the script added", () => {
  fc.assert(
    fc.property(records, whole, whole, (record, provenAt, expiresAtMs) => {
      const bytes = ephemeral(record, [7, provenAt, 3, expiresAtMs]);
      const decoded = decodeEntry(bytes, REF);
      expect(shown(decoded)).toEqual({
        kind: "ephemeral",
        record: {
          ...plain(record),
          version: 7,
          expiresAtMs: expiresAtMs === 0 ? undefined : expiresAtMs,
          deadlineMs: expiresAtMs === 0 ? Number.POSITIVE_INFINITY : UNKNOWN_DEADLINE,
        },
        provenAt,
        baseVersion: 3,
      });
    }),
  );
});

test("the text of a value in clear is given without being checked again, of another it is not", () => {
  const record = (body: Uint8Array): ItemRecord => ({
    ...REF,
    version: 1,
    metadata: {},
    tags: [],
    createdAtMs: 0,
    updatedAtMs: 0,
    expiresAtMs: undefined,
    deadlineMs: Number.POSITIVE_INFINITY,
    body,
  });
  const text = (body: Uint8Array): string | undefined =>
    decodeEntry(encodeCopy({ record: record(body), provenAt: 1 }), REF)?.record.checkedText();
  const plainCodec = new Codec({ encryptionKeys: [] });
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      // Longer texts may be deflated.
      fc.pre(JSON.stringify(value).length < 2000);
      expect(text(plainCodec.encode(value as JsonValue, REF))).toBe(JSON.stringify(value));
    }),
  );
  expect(text(plainCodec.encode("long ".repeat(1000), REF))).toBeUndefined();
  const sealed = new Codec({ encryptionKeys: [`k:${Buffer.alloc(32, 7).toString("base64")}`] });
  expect(text(sealed.encode("secret", REF))).toBeUndefined();
  for (const body of [
    [],
    [1],
    [1, 0, 5, 0, 0, 0, 0, 0, 0, 0, 49],
    [2, 0, 1, 0, 0, 0, 0, 0, 0, 0, 49],
  ])
    expect(text(Uint8Array.from(body))).toBeUndefined();
});

test("a lifetime is known from either of its two signs", () => {
  fc.assert(
    fc.property(records, time, (record, expiresAtMs) => {
      const timed = encodeCopy({ record: { ...record, expiresAtMs }, provenAt: 1 });
      const decoded = decodeEntry(timed, REF);
      expect(decoded?.record.deadlineMs).toBe(UNKNOWN_DEADLINE);
      expect(decoded?.record.expiresAtMs).toBe(expiresAtMs);
      const late = encodeCopy({ record: { ...record, deadlineMs: 5 }, provenAt: 1 });
      expect(decodeEntry(late, REF)?.record.deadlineMs).toBe(UNKNOWN_DEADLINE);
    }),
  );
});

test("one wrong bit, a missing end or another key's entry is no entry", () => {
  fc.assert(
    fc.property(records, fc.boolean(), fc.nat(), fc.nat(), (record, isCopy, where, cut) => {
      const whole_ = isCopy ? encodeCopy({ record, provenAt: 5 }) : ephemeral(record, [7, 5, 3, 0]);
      const damaged = Buffer.from(whole_);
      const at = where % whole_.length;
      damaged[at] = (damaged[at] ?? 0) ^ (1 << (cut % 8));
      expect(decodeEntry(damaged, REF)).toBeUndefined();
      expect(decodeEntry(whole_.subarray(0, cut % whole_.length), REF)).toBeUndefined();
      for (const other of [
        { ...REF, key: "k2" },
        { namespace: "acme/agen", key: "tk" },
        { namespace: "acme/agentk", key: "" },
      ])
        expect(decodeEntry(whole_, other)).toBeUndefined();
    }),
  );
});

test("no bytes make it throw", () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 200 }),
      fc.constantFrom("", "C", "E", "M", "L"),
      (tail, kind) => {
        const bytes = Buffer.concat([Buffer.from(kind + digits(5) + digits(6)), tail]);
        expect(decodeEntry(bytes, REF)).toBeUndefined();
        expect(decodeEntry(Buffer.from(tail), REF)).toBeUndefined();
      },
    ),
  );
});

test("digits hold every whole number below 2^53 in order", () => {
  fc.assert(
    fc.property(whole, whole, (left, right) => {
      expect(readDigits(Buffer.from(`x${digits(left)}`), 1)).toBe(left);
      expect(digits(left) < digits(right)).toBe(left < right);
    }),
  );
  for (const text of ["", "000000000000000", "00000000000000 1", "9999999999999999"])
    expect(readDigits(Buffer.from(text), 0)).toBeUndefined();
});
