import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { boundHorizon, covers, horizonOf, joinHorizons } from "./horizon.ts";
import type { Horizon } from "./horizon.ts";

const PLACES = 12;

/** Any horizon over the places below PLACES. */
const horizons: fc.Arbitrary<Horizon> = fc
  .record({ end: fc.integer({ min: 1, max: PLACES }), open: fc.uniqueArray(fc.nat(PLACES)) })
  .map(({ end, open }) => ({
    end,
    open: open.filter((place) => place < end).toSorted((a, b) => a - b),
  }));

/** What it shows, place by place: what the type says, written to be obvious. */
function shownBy({ end, open }: Horizon): Set<number> {
  const places = Array.from({ length: end }, (_, place) => place);
  return new Set(places.filter((place) => !open.includes(place)));
}

describe("a horizon is the set of transactions that it shows", () => {
  test("as PostgreSQL writes it", () => {
    expect(horizonOf("735:741:735,738")).toEqual({ end: 741, open: [735, 738] });
    expect(horizonOf("10:10:")).toEqual({ end: 10, open: [] });
    for (const text of ["", "10:10", "a:b:", "1:99999999999999999999:"])
      expect(() => horizonOf(text)).toThrow(/snapshot/u);
  });

  test("who covers another has seen all of it", () => {
    fc.assert(
      fc.property(horizons, horizons, (one, other) => {
        if (covers(one, other))
          expect([...shownBy(one)]).toEqual(expect.arrayContaining([...shownBy(other)]));
      }),
    );
  });

  test("it covers itself, and what was seen before it", () => {
    fc.assert(
      fc.property(horizons, fc.nat(PLACES), fc.nat(PLACES), (later, cut, open) => {
        expect(covers(later, later)).toBe(true);
        const end = Math.max(1, Math.min(cut, later.end));
        const was = [...new Set([...later.open, open])].filter((place) => place < end);
        expect(covers(later, { end, open: was.toSorted((a, b) => a - b) })).toBe(true);
      }),
    );
  });

  test("a join shows what either shows, and nothing else", () => {
    fc.assert(
      fc.property(horizons, horizons, (one, other) => {
        const joined = shownBy(joinHorizons(one, other));
        expect(joined).toEqual(new Set([...shownBy(one), ...shownBy(other)]));
      }),
    );
  });

  test("bounded it shows no less, and keeps what has been open longest", () => {
    fc.assert(
      fc.property(horizons, fc.nat(4), (horizon, openMax) => {
        const bounded = boundHorizon(horizon, openMax);
        expect(bounded.open).toEqual(horizon.open.slice(0, openMax));
        expect([...shownBy(bounded)]).toEqual(expect.arrayContaining([...shownBy(horizon)]));
      }),
    );
  });
});
