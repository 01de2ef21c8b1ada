import { describe, expect, test } from "vitest";
import { FillGuard } from "./fill-guard.ts";

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
});
