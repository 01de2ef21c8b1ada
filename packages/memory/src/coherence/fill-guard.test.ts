import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { FillGuard } from "./fill-guard.ts";
import type { FillToken } from "./fill-guard.ts";

const ref = { namespace: "users/1", key: "k" };
const other = { namespace: "users/10", key: "k" };

describe("FillGuard", () => {
  test("an answer older than a change seen meanwhile is refused, a newer one is not", () => {
    const guard = new FillGuard();
    const token = guard.begin(ref);
    guard.raise(ref, 7);
    expect([token.allows(6), token.allows(7), token.allows(8)]).toEqual([false, true, true]);
  });

  test("a change before the query began does not count", () => {
    const guard = new FillGuard();
    guard.raise(ref, 7);
    expect(guard.begin(ref).allows(1)).toBe(true);
  });

  test("all queries in flight for one item hear of a change, those for another item do not", () => {
    const guard = new FillGuard();
    const tokens = [guard.begin(ref), guard.begin(ref)];
    const unrelated = guard.begin(other);
    guard.raise(ref, 5);
    expect(tokens.map((token) => token.allows(4))).toEqual([false, false]);
    expect(unrelated.allows(4)).toBe(true);
  });

  test("an earlier, lower change does not weaken a later, higher one", () => {
    const guard = new FillGuard();
    const token = guard.begin(ref);
    guard.raise(ref, 9);
    guard.raise(ref, 3);
    expect(token.allows(8)).toBe(false);
  });

  test("a flush refuses whatever is in flight, whichever version it brings", () => {
    const guard = new FillGuard();
    const token = guard.begin(ref);
    guard.raiseWhere(() => true);
    expect(token.allows(Number.MAX_SAFE_INTEGER)).toBe(false);
  });

  test("a cleared namespace refuses its own queries only", () => {
    const guard = new FillGuard();
    const inside = guard.begin(ref);
    const outside = guard.begin(other);
    guard.raiseWhere(({ namespace }) => namespace === "users/1");
    expect([inside.allows(1), outside.allows(1)]).toEqual([false, true]);
  });

  test("nothing is kept once the queries have ended", () => {
    const guard = new FillGuard();
    const tokens = [guard.begin(ref), guard.begin(ref), guard.begin(other)];
    for (const token of tokens) guard.end(token);
    guard.end(tokens[0] ?? guard.begin(ref));
    expect(guard.size).toBe(0);
  });

  test("every query in flight hears of the changes of its item and of no other, in whatever order they end", () => {
    const step = fc.record({
      kind: fc.constantFrom("begin", "end", "raise", "clear"),
      namespace: fc.constantFrom("a", "b"),
      key: fc.constantFrom("k", "l"),
      pick: fc.nat(),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const guard = new FillGuard();
        const expected = new Map<FillToken, number>();
        for (const { kind, namespace, key, pick } of steps) {
          const open = [...expected.keys()];
          if (kind === "begin") expected.set(guard.begin({ namespace, key }), 0);
          const ended = open[pick % Math.max(1, open.length)];
          if (kind === "end" && ended !== undefined) {
            guard.end(ended);
            expected.delete(ended);
          }
          if (kind === "raise") guard.raise({ namespace, key }, pick);
          if (kind === "clear") guard.raiseWhere((ref) => ref.namespace === namespace);
          const version = kind === "raise" ? pick : Infinity;
          if (kind === "raise" || kind === "clear")
            for (const [token, before] of expected)
              if (token.ref.namespace === namespace && (kind === "clear" || token.ref.key === key))
                expected.set(token, Math.max(before, version));
          for (const [token, minVersion] of expected) expect(token.minVersion).toBe(minVersion);
          expect(guard.size).toBe(new Set([...expected.keys()].map(({ ref }) => ref.key)).size);
        }
      }),
    );
  });
});
