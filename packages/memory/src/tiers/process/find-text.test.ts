import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Codec } from "../../codec/codec.ts";
import { checksumText } from "../../codec/sound-text.ts";
import { readAttributes } from "../../model/attributes.ts";
import type { ItemRecord, JsonObject, JsonValue } from "../../model/item.ts";
import { ManualClock } from "../../testing/manual-clock.ts";
import { ProcessTier } from "./process-tier.ts";

const KEY = Buffer.alloc(32, 20).toString("base64");
const plain = new Codec({ encryptionKeys: [] });
const sealing = new Codec({ encryptionKeys: [`k:${KEY}`] });

function open(): { tier: ProcessTier; clock: ManualClock } {
  const clock = new ManualClock();
  const bounds = { maxBytes: 60_000, maxItems: 100 };
  return { tier: new ProcessTier({ ...bounds, clock, eviction: "lru" }), clock };
}

function record(key: string, body: Uint8Array, facts: Partial<ItemRecord> = {}): ItemRecord {
  return {
    namespace: "a",
    key,
    version: 1,
    metadata: {},
    tags: [],
    createdAtMs: 1.5,
    updatedAtMs: 2,
    expiresAtMs: undefined,
    deadlineMs: Infinity,
    body,
    ...facts,
  };
}

function textOf(value: JsonValue): Uint8Array {
  return plain.encode(value, { namespace: "a", key: "k" });
}

describe("findText", () => {
  test("gives what find gives, wherever the blocks lie, for any JSON, key, metadata and tags", () => {
    const item = fc.record({
      key: fc.string({ unit: "grapheme", minLength: 1, maxLength: 5 }),
      value: fc.jsonValue({ stringUnit: "grapheme" }),
      filling: fc.nat(1500),
      metadata: fc.dictionary(fc.string({ unit: "grapheme" }), fc.jsonValue(), { maxKeys: 2 }),
      tags: fc.array(fc.string({ unit: "grapheme", minLength: 1 }), { maxLength: 2 }),
      expires: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(item, { maxLength: 60, size: "max" }), (items) => {
        const { tier } = open();
        for (const [step, { key, value, filling, metadata, tags, expires }] of items.entries()) {
          // What JSON does not keep, such as -0, would differ for that reason alone.
          const whole = JSON.parse(JSON.stringify([value, "é".repeat(filling)])) as JsonValue;
          const facts = {
            version: step + 1,
            metadata: JSON.parse(JSON.stringify(metadata)) as JsonObject,
            tags,
            ...(expires ? { expiresAtMs: 3, deadlineMs: 4 } : {}),
          };
          tier.offer(record(key, textOf(whole), facts));
          // Holes of all sizes for the items that follow.
          if (step % 3 === 0) tier.drop("a", items[step >> 1]?.key ?? "", Infinity);
        }
        for (const { key } of items) {
          const found = tier.find("a", key);
          const text = tier.findText("a", key, "utf8");
          const bytes = tier.findText("a", key, "latin1");
          const isText = found !== undefined && found.body[1] === 0;
          expect(text !== undefined).toBe(isText);
          if (found === undefined || text === undefined || bytes === undefined) continue;
          const { body, metadata, tags, ...facts } = found;
          const { text: json, attributes, sizeBytes, crc, ...others } = text;
          expect(others).toEqual(facts);
          expect(tier.findValueText("a", key)).toEqual({ version: found.version, text: json });
          expect(JSON.parse(json)).toEqual(plain.decode(body, found));
          expect(readAttributes(attributes)).toEqual({ metadata, tags });
          expect(sizeBytes).toBe(plain.valueBytes(body));
          expect(checksumText(crc)).toBe(plain.checksum(body));
          expect(Buffer.from(bytes.text, "latin1")).toEqual(plain.json(body, found));
          expect(Buffer.from(bytes.attributes, "latin1").toString()).toBe(attributes);
        }
      }),
    );
  });

  test("a body that any changed bit has damaged is never given as text", () => {
    const body = textOf({ a: 1, text: "some text" });
    for (let bit = 0; bit < body.length * 8; bit += 1) {
      const damaged = Uint8Array.from(body);
      damaged[bit >> 3] = (damaged[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      const { tier } = open();
      tier.offer(record("k", damaged));
      expect(tier.findText("a", "k", "utf8")).toBeUndefined();
      expect(tier.findValueText("a", "k")).toBeUndefined();
      expect(tier.find("a", "k")?.body).toEqual(damaged);
    }
  });

  test("nor one that is cut, deflated, encrypted or long", () => {
    const text = { text: "a".repeat(4000) };
    const random = Array.from({ length: 6000 }, (_, n) => Math.imul(n, 2_654_435_761));
    for (const body of [
      new Uint8Array(0),
      textOf(1).subarray(0, 9),
      textOf("cut").subarray(0, -1),
      textOf(text),
      sealing.encode(1, { namespace: "a", key: "k" }),
      textOf(random),
    ]) {
      const { tier } = open();
      tier.offer(record("k", body));
      expect(tier.findText("a", "k", "utf8")).toBeUndefined();
    }
  });

  test("nor past its deadline; a hit counts and keeps the item, what is not given does not count", () => {
    const { tier, clock } = open();
    tier.offer(record("old", textOf(1), { deadlineMs: clock.monotonicMs() + 5 }));
    expect(tier.findText("a", "old", "utf8")?.text).toBe("1");
    clock.jump(5);
    expect(tier.findText("a", "old", "utf8")).toBeUndefined();
    expect(tier.findText("a", "none", "utf8")).toBeUndefined();
    expect(tier.usage()).toMatchObject({ hits: 1, misses: 0 });
  });
});
