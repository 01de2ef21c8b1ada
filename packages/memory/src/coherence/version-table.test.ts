import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { VersionTable } from "./version-table.ts";

describe("the greatest version of each hash", () => {
  it("is what a map would hold, also when hashes share their low bits", () => {
    const hash = fc.oneof(
      fc.maxSafeNat(),
      fc.nat(40).map((high) => high * 2 ** 32 + 7),
      fc.nat(20),
    );
    fc.assert(
      fc.property(
        fc.array(fc.tuple(hash, fc.integer({ min: 1, max: 50 })), { maxLength: 600 }),
        (pairs) => {
          const table = new VersionTable(600);
          const model = new Map<number, number>();
          for (const [key, version] of pairs) {
            table.raise(key, version);
            model.set(key, Math.max(model.get(key) ?? 0, version));
          }
          expect(table.size).toBe(model.size);
          for (const [key, version] of model) expect(table.find(key)).toBe(version);
          expect(table.find(2 ** 53 - 3)).toBe(model.get(2 ** 53 - 3) ?? 0);
        },
      ),
    );
  });

  it("still ends its look-ups when it is full", () => {
    const table = new VersionTable(256);
    for (let hash = 0; hash < 256; hash += 1) table.raise(hash, 1);
    expect(table.find(1_000_000)).toBe(0);
  });
});
