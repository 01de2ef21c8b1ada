import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { FillGuard } from "./fill-guard.ts";
import type { FillToken } from "./fill-guard.ts";

const ref = { namespace: "users/1", key: "k" };
const other = { namespace: "users/10", key: "k" };

describe("FillGuard", () => {
  test("an answer older than a change seen meanwhile is refused, a newer one is not", () => {
    const guard = new FillGuard();
    const token = guard.begin();
    guard.raise(ref, 7);
    expect([6, 7, 8].map((version) => token.allows(ref, version))).toEqual([false, true, true]);
  });

  test("a change before the query began does not count", () => {
    const guard = new FillGuard();
    guard.begin();
    guard.raise(ref, 7);
    expect(guard.begin().allows(ref, 1)).toBe(true);
  });

  test("all queries in flight hear of a change, of that item alone", () => {
    const guard = new FillGuard();
    const tokens = [guard.begin(), guard.begin()];
    guard.raise(ref, 5);
    expect(tokens.map((token) => token.allows(ref, 4))).toEqual([false, false]);
    expect(tokens.map((token) => token.allows(other, 4))).toEqual([true, true]);
  });

  test("an earlier, lower change does not weaken a later, higher one", () => {
    const guard = new FillGuard();
    const token = guard.begin();
    guard.raise(ref, 9);
    guard.raise(ref, 3);
    expect(token.allows(ref, 8)).toBe(false);
  });

  test("a flush refuses whatever is in flight, whichever version it brings", () => {
    const guard = new FillGuard();
    const token = guard.begin();
    guard.raiseWhere(() => true);
    expect(token.allows(ref, Number.MAX_SAFE_INTEGER)).toBe(false);
  });

  test("a cleared namespace refuses its own items only", () => {
    const guard = new FillGuard();
    const token = guard.begin();
    guard.raiseWhere(({ namespace }) => namespace === "users/1");
    expect([token.allows(ref, 1), token.allows(other, 1)]).toEqual([false, true]);
  });

  test("nothing is kept once the queries have ended, nor noted while none is in flight", () => {
    const guard = new FillGuard();
    guard.raise(ref, 1);
    expect(guard.changes).toBe(0);
    const tokens = [guard.begin(), guard.begin(), guard.begin()];
    guard.raise(ref, 2);
    expect([guard.size, guard.changes]).toEqual([3, 1]);
    for (const token of tokens) guard.end(token);
    for (const token of tokens) guard.end(token);
    expect([guard.size, guard.changes]).toEqual([0, 0]);
  });

  test("a query that outlives more changes than are remembered makes no copy, a later one does", () => {
    const guard = new FillGuard();
    const slow = guard.begin();
    for (let version = 1; version <= 16_385; version += 1) guard.raise(ref, version);
    expect(guard.changes).toBeLessThanOrEqual(16_384);
    expect(slow.allows(other, Number.MAX_SAFE_INTEGER)).toBe(false);
    const late = guard.begin();
    guard.raise(ref, 20_000);
    expect([late.allows(ref, 1), late.allows(other, 1)]).toEqual([false, true]);
  });

  test("what no query in flight needs is thrown away while others go on", () => {
    const guard = new FillGuard();
    let oldest = guard.begin();
    for (let version = 1; version <= 10_000; version += 1) {
      guard.raise(ref, version);
      const next = guard.begin();
      guard.end(oldest);
      oldest = next;
    }
    expect(guard.changes).toBeLessThan(2048);
  });

  test.each([1, 300])(
    "every query in flight hears of the changes of an item and of no other, in whatever order they end, with %i times as many changes of something else",
    (crowd) => {
      const step = fc.record({
        kind: fc.constantFrom("begin", "end", "raise", "clear"),
        namespace: fc.constantFrom("a", "b"),
        key: fc.constantFrom("k", "l"),
        pick: fc.nat({ max: 50 }),
      });
      fc.assert(
        fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
          const guard = new FillGuard();
          // By token: the least version allowed of each item.
          const expected = new Map<FillToken, Map<string, number>>();
          for (const { kind, namespace, key, pick } of steps) {
            const open = [...expected.keys()];
            const ended = open[pick % Math.max(1, open.length)];
            if (kind === "begin") expected.set(guard.begin(), new Map());
            if (kind === "end" && ended !== undefined) {
              guard.end(ended);
              expected.delete(ended);
            }
            if (kind === "raise") {
              for (let at = 1; at < crowd; at += 1) guard.raise({ namespace, key: "crowd" }, at);
              guard.raise({ namespace, key }, pick);
            }
            if (kind === "clear") guard.raiseWhere((one) => one.namespace === namespace);
            for (const least of expected.values())
              for (const item of ["k", "l"]) {
                const id = `${namespace}/${item}`;
                if (kind === "clear") least.set(id, Infinity);
                if (kind === "raise" && item === key)
                  least.set(id, Math.max(least.get(id) ?? 0, pick));
              }
            for (const [token, least] of expected)
              for (const ns of ["a", "b"])
                for (const item of ["k", "l"]) {
                  const min = least.get(`${ns}/${item}`) ?? 0;
                  for (const version of Number.isFinite(min)
                    ? [0, Math.max(0, min - 1), min, 60]
                    : [0, 60])
                    expect(token.allows({ namespace: ns, key: item }, version)).toBe(
                      version >= min,
                    );
                }
            expect(guard.size).toBe(expected.size);
          }
        }),
        { numRuns: 60 },
      );
    },
  );
});
