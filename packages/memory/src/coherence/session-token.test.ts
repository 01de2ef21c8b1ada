import { crc32 } from "node:zlib";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { expectCode } from "../testing/expect-code.ts";
import { sessionHash } from "./session-hash.ts";
import {
  ABSENT,
  ENTRIES_MAX,
  TOKEN_CHARS_MAX,
  decodeSession,
  encodeSession,
} from "./session-token.ts";
import type { Demands } from "./session-token.ts";

const hashes = fc.nat({ max: 2 ** 48 - 1 });
const places = fc.nat({ max: Number.MAX_SAFE_INTEGER - 1 });
const versions = fc.oneof(fc.constant(ABSENT), places);
const floors = fc.oneof(
  fc.constantFrom<Demands["floor"]>(undefined, "everything"),
  fc
    .record({
      end: fc.integer({ min: 1_000, max: 2 ** 53 - 1 }),
      back: fc.uniqueArray(fc.integer({ min: 1, max: 1_000 }), { maxLength: 16 }),
    })
    .map(({ end, back }) => ({
      end,
      open: back.toSorted((a, b) => b - a).map((distance) => end - distance),
    })),
);

function demandsOf(entriesMax: number): fc.Arbitrary<Demands> {
  const entries = fc.array(fc.tuple(hashes, versions), { maxLength: entriesMax });
  return fc
    .record({ epoch: hashes, floor: floors, entries })
    .map(({ epoch, floor, entries: list }) => ({ epoch, floor, versions: new Map(list) }));
}

function tokenOf(demands: Demands): string {
  const token = encodeSession(demands);
  expect(token).toBeDefined();
  return token ?? "";
}

/** A token of some bytes, whole. */
function seal(bytes: readonly number[]): string {
  const check = Buffer.alloc(4);
  check.writeUInt32LE(crc32(Buffer.from(bytes)));
  return Buffer.concat([Buffer.from(bytes), check]).toString("base64url");
}

describe("session tokens", () => {
  test("bring back what was put in, in at most a kilobyte", () => {
    fc.assert(
      fc.property(demandsOf(40), (demands) => {
        const token = tokenOf(demands);
        expect(token.length).toBeLessThanOrEqual(TOKEN_CHARS_MAX);
        expect(decodeSession(token)).toEqual(demands);
      }),
    );
  });

  test("take 64 items of a database that has seen a billion writes", () => {
    const list = Array.from(
      { length: ENTRIES_MAX },
      (_, at) => [sessionHash({ namespace: "acme/agent", key: `k${at}` }), 1e9 + at] as const,
    );
    const floor = { end: 1e9, open: [] };
    const demands = { epoch: 2 ** 48 - 1, floor, versions: new Map(list) };
    expect(decodeSession(tokenOf(demands))).toEqual(demands);
    const more = new Map([...list, [1, 1] as const]);
    expect(encodeSession({ ...demands, versions: more })).toBeUndefined();
  });

  test("say that they are full rather than grow beyond a kilobyte", () => {
    fc.assert(
      fc.property(demandsOf(100), (demands) => {
        const token = encodeSession(demands);
        if (token !== undefined) expect(token.length).toBeLessThanOrEqual(1020);
        else expect(demands.versions.size).toBeGreaterThan(40);
      }),
    );
  });

  test("a floor with many open places loses the youngest of them only", () => {
    const open = Array.from({ length: 40 }, (_, at) => 100 + at);
    const token = tokenOf({ epoch: 1, floor: { end: 200, open }, versions: new Map() });
    const floor = { end: 200, open: open.slice(0, 16) };
    expect(decodeSession(token)).toEqual({ epoch: 1, floor, versions: new Map() });
  });

  test("any change of one character is noticed", async () => {
    const token = tokenOf({ epoch: 7, floor: { end: 9, open: [3] }, versions: new Map([[5, 6]]) });
    for (let at = 0; at < token.length; at += 1)
      for (const other of ["A", "b", "_", "=", " ", "é"]) {
        if (token[at] === other) continue;
        const text = token.slice(0, at) + other + token.slice(at + 1);
        await expectCode("INVALID_SESSION", () => decodeSession(text));
      }
  });

  test.each([
    ["nothing", ""],
    ["a part", tokenOf({ epoch: 7, floor: undefined, versions: new Map() }).slice(0, -2)],
    ["more", `${tokenOf({ epoch: 7, floor: undefined, versions: new Map() })}AAAA`],
    ["too much", "A".repeat(2000)],
    ["no text", 5],
    ["another alphabet", "+/+/+/+/"],
    ["an end in the middle of a demand", seal([1, 0, 0, 0, 0, 0, 0, 0, 1, 5])],
    ["an unknown floor", seal([1, 0, 0, 0, 0, 0, 0, 3, 0])],
    ["65 items", seal([1, 0, 0, 0, 0, 0, 0, 0, 65])],
    [
      "a version that cannot be",
      seal([1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, ...Array<number>(9).fill(255), 1]),
    ],
    ["a place before the first", seal([1, 0, 0, 0, 0, 0, 0, 1, 5, 1, 6, 0])],
    ["bytes after the end", seal([1, 0, 0, 0, 0, 0, 0, 0, 0, 0])],
  ])("refuses %s", async (_, text) => {
    const error = await expectCode("INVALID_SESSION", () => decodeSession(text));
    expect(error.field).toBe("session");
  });

  test("a whole token of another format is no damage", () => {
    expect(decodeSession(seal([2, 1, 2, 3]))).toBeUndefined();
    expect(decodeSession(seal([0]))).toBeUndefined();
  });

  test("the hash of a key is the same in every release", () => {
    expect(sessionHash({ namespace: "acme/agent-7", key: "user:123" })).toBe(29_102_414_887_748);
    expect(sessionHash({ namespace: "acme", key: "user:123" })).not.toBe(29_102_414_887_748);
  });
});
