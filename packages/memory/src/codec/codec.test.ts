import { randomBytes } from "node:crypto";
import { crc32, deflateRawSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { MemoryError } from "../model/errors.ts";
import type { JsonValue } from "../model/item.ts";
import { Codec } from "./codec.ts";

const ref = { namespace: "acme/agent-7", key: "user:1" };
const newKey = (id: string): string => `${id}:${randomBytes(32).toString("base64")}`;
const plain = new Codec({ encryptionKeys: [] });
const sealed = new Codec({ encryptionKeys: [newKey("k1")] });
const long: JsonValue = { text: "the quick brown fox ".repeat(300), list: [1, 2, 3] };

function codeOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    if (error instanceof MemoryError) return error.code;
    throw error;
  }
  return "none";
}

/** What JSON makes of a value: -0 becomes 0. */
function stored(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}

describe.each([
  ["plain", plain],
  ["encrypted", sealed],
  ["compressed always", new Codec({ encryptionKeys: [], compressAboveBytes: 0 })],
  ["both", new Codec({ encryptionKeys: [newKey("k1")], compressAboveBytes: 0 })],
])("%s", (_, codec) => {
  test("every JSON value comes back, with its text, length and checksum", () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), (value) => {
        const given = value as JsonValue;
        const body = codec.encode(given, ref);
        const text = JSON.stringify(given);
        expect(codec.decode(body, ref)).toEqual(stored(given));
        expect(codec.json(body, ref).toString()).toBe(text);
        expect(codec.valueBytes(body)).toBe(Buffer.byteLength(text));
        expect(codec.checksum(body, ref)).toBe(crc32(text).toString(16).padStart(8, "0"));
      }),
    );
  });

  test.each([
    ["NUL and lone surrogates", "\u0000 \ud800 \udfff"],
    ["text beyond ASCII", "\u00e9\u20ac\u{1f352}"],
    ["a long value", long],
    ["a megabyte", "x".repeat(1024 * 1024)],
    ["a megabyte that does not compress", randomBytes(512 * 1024).toString("base64")],
    ["the smallest", 0],
  ])("%s", (_name, value) => {
    expect(codec.decode(codec.encode(value, ref), ref)).toEqual(value);
  });

  test("an own member named __proto__ stays one", () => {
    const value: JsonValue = JSON.parse('{"__proto__":{"x":1},"a":1}');
    const decoded = codec.decode(codec.encode(value, ref), ref);
    expect(JSON.stringify(decoded)).toBe('{"__proto__":{"x":1},"a":1}');
    expect(Object.getPrototypeOf(decoded)).toBe(Object.prototype);
  });

  test("bodies that are no Buffer are read too", () => {
    const body = new Uint8Array(codec.encode({ a: 1 }, ref));
    expect(codec.decode(body, ref)).toEqual({ a: 1 });
  });

  test("every flipped bit is found", () => {
    for (const value of [{ name: "John", age: 30 }, "", long]) {
      const body = codec.encode(value, ref);
      for (let bit = 0; bit < body.length * 8; bit += 1) {
        const broken = Buffer.from(body);
        broken[bit >>> 3] = (broken[bit >>> 3] ?? 0) ^ (1 << (bit & 7));
        if (codeOf(() => codec.decode(broken, ref)) !== "CORRUPT_VALUE")
          throw new Error(`bit ${bit} of ${body.length * 8} was not found`);
      }
    }
  });

  test("every cut and every extension is found", () => {
    const body = codec.encode({ name: "John" }, ref);
    for (let length = 0; length < body.length; length += 1)
      expect(codeOf(() => codec.decode(body.subarray(0, length), ref))).toBe("CORRUPT_VALUE");
    const longer = Buffer.concat([body, Buffer.from([0])]);
    expect(codeOf(() => codec.decode(longer, ref))).toBe("CORRUPT_VALUE");
  });

  test("noise is never a value", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (noise) => {
        noise[0] = 1;
        noise[1] = (noise[1] ?? 0) & 3;
        expect(["CORRUPT_VALUE", "UNKNOWN_ENCRYPTION_KEY"]).toContain(
          codeOf(() => codec.decode(noise, ref)),
        );
      }),
    );
  });
});

describe("compression", () => {
  test("long text is smaller, text that saves nothing is left as it is", () => {
    expect(plain.encode(long, ref).length).toBeLessThan(1000);
    const eager = new Codec({ encryptionKeys: [], compressAboveBytes: 0 });
    expect(eager.encode("short", ref)).toEqual(plain.encode("short", ref));
  });

  test("nothing at or below the threshold is compressed", () => {
    const body = plain.encode("x".repeat(2046), ref);
    expect(body.length).toBe(2048 + 10);
    expect(plain.encode("x".repeat(2047), ref).length).toBeLessThan(100);
  });

  test("a body that inflates beyond what it claims is stopped", () => {
    const bomb = deflateRawSync(Buffer.alloc(50 * 1024 * 1024, "x"));
    const body = packed({ flags: 1, textBytes: 100, rest: Buffer.concat([Buffer.alloc(4), bomb]) });
    expect(() => plain.decode(body, ref)).toThrow(/does not inflate to its recorded length/);
  });

  test("a claim above the bound is refused before anything is inflated", () => {
    const small = new Codec({ encryptionKeys: [], textBytesMax: 1000 });
    expect(codeOf(() => small.decode(plain.encode(long, ref), ref))).toBe("CORRUPT_VALUE");
    const body = packed({ flags: 1, textBytes: 0xffff_ffff, rest: Buffer.alloc(20) });
    expect(codeOf(() => plain.decode(body, ref))).toBe("CORRUPT_VALUE");
  });
});

describe("encryption", () => {
  const first = newKey("2026-01");
  const second = newKey("2026-02");

  test("a body opens only at the address it was written for", () => {
    const body = sealed.encode("secret", ref);
    expect(codeOf(() => sealed.decode(body, { ...ref, key: "user:2" }))).toBe("CORRUPT_VALUE");
    expect(codeOf(() => sealed.decode(body, { ...ref, namespace: "acme" }))).toBe("CORRUPT_VALUE");
    const moved = { namespace: "acme", key: "agent-7/user:1" };
    expect(codeOf(() => sealed.decode(body, moved))).toBe("CORRUPT_VALUE");
  });

  test("flags and length are sealed with the text", () => {
    const body = sealed.encode("x".repeat(100), ref);
    for (const at of [1, 2]) {
      const forged = Buffer.from(body);
      forged[at] = (forged[at] ?? 0) ^ 1;
      forged.writeUInt32LE(crc32(forged.subarray(10), crc32(forged.subarray(0, 6))), 6);
      expect(() => sealed.decode(forged, ref)).toThrow(/not what was encrypted for this key/);
    }
  });

  test("the same value never gives the same bytes, and shows neither text nor checksum", () => {
    const one = sealed.encode("a well-known secret", ref);
    const other = sealed.encode("a well-known secret", ref);
    expect(one.equals(other)).toBe(false);
    expect(one.includes("well-known")).toBe(false);
    const crc = Buffer.alloc(4);
    crc.writeUInt32LE(crc32(JSON.stringify("a well-known secret")));
    expect(one.includes(crc)).toBe(false);
    expect(codeOf(() => sealed.checksum(one))).toBe("INVALID_ARGUMENT");
  });

  test("keys rotate: the first writes, all read", () => {
    const old = new Codec({ encryptionKeys: [first] });
    const both = new Codec({ encryptionKeys: [second, first] });
    const fresh = new Codec({ encryptionKeys: [second] });
    const oldBody = old.encode(1, ref);
    const newBody = both.encode(2, ref);
    expect(both.decode(oldBody, ref)).toBe(1);
    expect(fresh.decode(newBody, ref)).toBe(2);
    expect(codeOf(() => fresh.decode(oldBody, ref))).toBe("UNKNOWN_ENCRYPTION_KEY");
    expect(() => fresh.decode(oldBody, ref)).toThrow(/"2026-01"/);
    old.useKeys([second, first]);
    expect(old.decode(newBody, ref)).toBe(2);
    expect(fresh.decode(old.encode(3, ref), ref)).toBe(3);
  });

  test("bodies from before encryption was switched on can be read", () => {
    expect(sealed.decode(plain.encode({ a: 1 }, ref), ref)).toEqual({ a: 1 });
    expect(codeOf(() => plain.decode(sealed.encode({ a: 1 }, ref), ref))).toBe(
      "UNKNOWN_ENCRYPTION_KEY",
    );
  });

  test("another key under the same id opens nothing", () => {
    const impostor = new Codec({ encryptionKeys: [newKey("k1")] });
    expect(codeOf(() => impostor.decode(sealed.encode(1, ref), ref))).toBe("CORRUPT_VALUE");
  });

  test.each([
    ["no id", randomBytes(32).toString("base64")],
    ["a bad id", `a b:${randomBytes(32).toString("base64")}`],
    ["16 bytes", `k:${randomBytes(16).toString("base64")}`],
    ["no base64", `k:${"!".repeat(44)}`],
  ])("a key with %s is refused and not shown", (_, key) => {
    const make = (): Codec => new Codec({ encryptionKeys: [first, key] });
    expect(codeOf(make)).toBe("INVALID_CONFIG");
    expect(make).toThrow(/^security\.encryptionKeys\[1\]/);
    expect(make).not.toThrow(key.slice(-20));
  });

  test("an id given twice is refused", () => {
    expect(codeOf(() => new Codec({ encryptionKeys: [first, newKey("2026-01")] }))).toBe(
      "INVALID_CONFIG",
    );
  });
});

test("another format or an unknown flag is named, not guessed at", () => {
  const body = plain.encode("a", ref);
  const other = Buffer.from(body);
  other[0] = 2;
  expect(() => plain.decode(other, ref)).toThrow(/format 2, this release reads format 1/);
  const flagged = Buffer.from(body);
  flagged[1] = 4;
  expect(() => plain.decode(flagged, ref)).toThrow(/unknown flags 4/);
  expect(codeOf(() => plain.valueBytes(other))).toBe("CORRUPT_VALUE");
  expect(codeOf(() => plain.checksum(flagged))).toBe("CORRUPT_VALUE");
});

/** A body whose outer checksum holds, whatever is inside. */
function packed(parts: { flags: number; textBytes: number; rest: Buffer }): Buffer {
  const body = Buffer.concat([Buffer.alloc(10), parts.rest]);
  body[0] = 1;
  body[1] = parts.flags;
  body.writeUInt32LE(parts.textBytes, 2);
  body.writeUInt32LE(crc32(parts.rest, crc32(body.subarray(0, 6))), 6);
  return body;
}
