import { describe, expect, test } from "vitest";
import { check, countViolations } from "./checker.ts";
import type { CheckOptions } from "./checker.ts";
import { MadeHistory } from "./made-history.ts";

const OPTIONS: CheckOptions = { boundMs: 1000, counts: "everything" };

/** Kinds of violation, with how many, of what is not zero. */
function found(history: MadeHistory, options: Partial<CheckOptions> = {}): object {
  const counts = countViolations(check(history, { ...OPTIONS, ...options }).violations);
  return Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0));
}

const history = (): MadeHistory => new MadeHistory();

describe("a read within the bound", () => {
  test("may show what was replaced less than the bound before it began", () => {
    expect(
      found(history().put(1, { start: 0 }).put(2, { start: 100 }).read(1, { start: 1100 })),
    ).toEqual({});
  });

  test("is over the bound when it shows what was replaced longer ago", () => {
    expect(
      found(history().put(1, { start: 0 }).put(2, { start: 100 }).read(1, { start: 1200 })),
    ).toEqual({ overBound: 1 });
  });

  test("is over the bound when it shows nothing where an item has been longer than that", () => {
    expect(found(history().put(1, { start: 0 }).read(undefined, { start: 1200 }))).toEqual({
      overBound: 1,
    });
  });

  test("is over the bound also when only a read proves that the newer write happened", () => {
    const unknown = history().put(1, { start: 0 }).put(2, { start: 100, outcome: "unknown" });
    expect(found(unknown.read(1, { start: 1300, server: "b" }))).toEqual({});
    unknown.read(2, { start: 200, mode: "latest" });
    expect(found(unknown)).toEqual({ overBound: 1 });
  });

  test("is judged by time where no version is known", () => {
    const made = history()
      .put(1, { start: 0, version: undefined })
      .put(2, { start: 100, version: undefined })
      .read(1, { start: 1200, version: undefined });
    expect(found(made)).toEqual({ overBound: 1 });
  });

  test("may show either of two writes that overlapped where no version is known", () => {
    const made = history()
      .put(1, { start: 0, end: 200, version: undefined })
      .put(2, { start: 100, version: undefined })
      .read(1, { start: 2000, version: undefined });
    expect(found(made)).toEqual({});
  });
});

describe("a removed item", () => {
  test("is resurrected when it shows longer than the bound after its removal", () => {
    const made = history().put(1, { start: 0 }).remove(2, { start: 100 });
    expect(found(made.read(1, { start: 1000 }))).toEqual({});
    expect(found(made.read(1, { start: 1200, server: "b" }))).toEqual({ resurrected: 1 });
  });

  test("is resurrected by any `latest` read that begins after the removal", () => {
    const made = history().put(1, { start: 0 }).remove(2, { start: 100 });
    expect(found(made.read(1, { start: 120, mode: "latest" }))).toEqual({ resurrected: 1 });
  });

  test("a removal without a version is judged by time", () => {
    const made = history().put(1, { start: 0 }).remove(2, { start: 100, version: undefined });
    expect(found(made.read(1, { start: 1200 }))).toEqual({ resurrected: 1 });
  });

  test("one that nobody answered proves nothing, and excuses absence for as long as it may come", () => {
    const made = history().put(1, { start: 0 }).remove(2, { start: 100, outcome: "unknown" });
    expect(found(made.read(1, { start: 5000 }).read(undefined, { start: 6000 }))).toEqual({});
  });

  test("one that nobody answered is no excuse for an item that was written much later", () => {
    const made = history().remove(1, { start: 0, outcome: "unknown" }).put(2, { start: 40_000 });
    expect(found(made.read(undefined, { start: 42_000 }))).toEqual({ overBound: 1 });
  });

  test("an item past its time is resurrected; one whose time may be up may be absent", () => {
    const made = history().put(1, { start: 0, ttlMs: 500 });
    expect(found(made.read(undefined, { start: 1300 }).read(1, { start: 400 }))).toEqual({});
    expect(found(made.read(1, { start: 700, server: "b" }))).toEqual({ resurrected: 1 });
  });
});

test("an item may be absent when a later one that took its place may be past its time", () => {
  const made = new MadeHistory().put(1, { start: 0 }).put(2, { start: 1000, ttlMs: 300 });
  expect(found(made.read(undefined, { start: 1350 }))).toEqual({});
  expect(found(made.read(undefined, { start: 1250, server: "b" }))).toEqual({ overBound: 1 });
});

describe("an acknowledged write", () => {
  test("is lost when `latest` shows what was before it, or nothing", () => {
    const made = history().put(1, { start: 0 }).put(2, { start: 100 });
    made.read(1, { start: 120, mode: "latest", server: "a" });
    made.read(undefined, { start: 120, mode: "latest", server: "b" });
    expect(found(made)).toEqual({ lost: 2 });
  });

  test("is not lost when an unanswered write of later may have replaced it", () => {
    const made = history().put(1, { start: 0 }).put(2, { start: 50, outcome: "unknown" });
    expect(found(made.read(2, { start: 120, mode: "latest", version: 2 }))).toEqual({});
  });

  test("has a greater version than what was acknowledged before it began", () => {
    const made = history().put(9, { start: 0, version: 9 }).put(10, { start: 100, version: 8 });
    expect(found(made)).toEqual({ nonMonotonic: 1 });
  });

  test("of one atomic batch proves the others", () => {
    const made = history()
      .put(1, { start: 0 })
      .put(2, { start: 100, outcome: "unknown", group: 7 })
      .put(3, { start: 100, outcome: "unknown", group: 7, key: "other" })
      .read(3, { start: 200, key: "other" });
    expect(found(made.read(1, { start: 1500, version: 1 }))).toEqual({ overBound: 1 });
  });
});

describe("an increment", () => {
  test("is lost when the counter ends below what was acknowledged, or above what can be", () => {
    const made = history();
    for (const final of [9, 10, 12, 13, undefined])
      made.counters.push({ key: "counter", acknowledged: 10, unknown: 2, final });
    expect(found(made)).toEqual({ lostUpdate: 3 });
  });

  test("is lost when one version was replaced twice", () => {
    const made = history().put(1, { start: 0 });
    made.put(2, { start: 20, replaces: 1 }).put(3, { start: 20, replaces: 1 });
    expect(found(made)).toEqual({ lostUpdate: 1 });
  });

  test("that was refused replaces nothing", () => {
    const made = history().put(1, { start: 0 });
    made.put(2, { start: 20, replaces: 1 }).put(3, { start: 20, replaces: 1, outcome: "refused" });
    expect(found(made)).toEqual({});
  });
});

describe("one server between restarts", () => {
  const two = (): MadeHistory => history().put(1, { start: 0 }).put(2, { start: 100 });

  test("does not go back behind what it showed", () => {
    expect(found(two().read(2, { start: 200 }).read(1, { start: 300 }))).toEqual({
      nonMonotonic: 1,
    });
  });

  test("another server, another life, or a read under way may", () => {
    const made = two().read(2, { start: 200, server: "a.1" });
    made.read(1, { start: 300, server: "a.2" }).read(1, { start: 205, server: "a.1" });
    expect(found(made)).toEqual({});
  });

  test("does not go back behind its own write", () => {
    const made = history().put(1, { start: 0 }).put(2, { start: 100, server: "a" });
    expect(found(made.read(1, { start: 200 }))).toEqual({ nonMonotonic: 1 });
  });

  test("does not show again what it showed as gone", () => {
    const made = history().put(1, { start: 0 }).remove(2, { start: 100 }).read(1, { start: 90 });
    made.read(undefined, { start: 200 }).read(1, { start: 300 });
    expect(found(made)).toEqual({ nonMonotonic: 1 });
  });

  test("does not lose what it showed while nothing removed it", () => {
    const made = history().put(1, { start: 0 }).read(1, { start: 50 });
    expect(found(made.read(undefined, { start: 200 }))).toEqual({ nonMonotonic: 1 });
  });

  test("a cache beside a database is bound by its own reads alone", () => {
    const made = two().read(2, { start: 200, mode: "latest" }).read(1, { start: 300 });
    expect(found(made, { counts: "cached reads" })).toEqual({});
    expect(
      found(made.read(2, { start: 400 }).read(1, { start: 500 }), { counts: "cached reads" }),
    ).toEqual({ nonMonotonic: 1 });
  });
});

describe("a session", () => {
  test("sees its own write on any server", () => {
    const made = history().put(1, { start: 0 }).put(2, { start: 100, session: 5 });
    made.read(1, { start: 120, mode: "session", session: 5, server: "b" });
    made.read(1, { start: 120, mode: "session", session: 6, server: "c" });
    expect(found(made)).toEqual({ session: 1 });
  });

  test("never sees less than it saw", () => {
    const made = history().put(1, { start: 0 }).put(2, { start: 100 });
    made.read(2, { start: 120, mode: "session", session: 5, server: "b" });
    made.read(1, { start: 140, mode: "session", session: 5, server: "c" });
    expect(found(made)).toEqual({ nonMonotonic: 1 });
  });
});

describe("after quiet", () => {
  const two = (): MadeHistory => history().put(1, { start: 0 }).put(2, { start: 100 });

  test.each([
    ["what was replaced", 1, 2, { stale: 1 }],
    ["what was removed", 1, undefined, { resurrected: 1 }],
    ["nothing where there is an item", undefined, 2, { disagree: 1 }],
    ["something newer than the authority has", 2, 1, { disagree: 1 }],
    ["the same", 2, 2, {}],
  ])("%s is told apart", (_, shown, truth, expected) => {
    const made = two();
    made.finals.push({ key: "k", server: "a", shown, truth });
    expect(found(made)).toEqual(expected);
  });
});

test("after quiet an item may go whose time comes just then", () => {
  const made = new MadeHistory().put(1, { start: 0, ttlMs: 500 });
  made.finals.push({ key: "k", server: "a", shown: undefined, truth: 1 });
  expect(found(made)).toEqual({});
  made.finals.push({ key: "k", server: "a", shown: 1, truth: undefined });
  expect(found(made)).toEqual({ resurrected: 1 });
});

describe("a value", () => {
  test("that nobody wrote, or that was refused, disagrees with all that is known", () => {
    const made = history().put(1, { start: 0, outcome: "refused" });
    made.read(1, { start: 100, server: "a" }).read(77, { start: 100, server: "b" });
    expect(found(made)).toEqual({ disagree: 2 });
  });

  test("under two versions disagrees with itself", () => {
    const made = history().put(1, { start: 0 }).read(1, { start: 100, version: 5 });
    expect(found(made)).toEqual({ disagree: 1 });
  });
});

describe("a loader", () => {
  const loaded = (): MadeHistory => {
    const made = history().put(3, { start: 0, outcome: "unknown" });
    made.loads.push({ id: 3, key: "k", askedAt: 100, answeredAt: 300 });
    return made.read(3, { start: 2000, version: 3 });
  };

  test("that was overtaken by a removal while it loaded resurrects, by a write loses that one", () => {
    const removed = loaded().remove(2, { start: 150 });
    expect(check(removed, OPTIONS).staleLoads).toHaveLength(1);
    expect(found(removed)).toEqual({ resurrected: 1 });
    expect(found(loaded().put(2, { start: 150 }))).toEqual({ lost: 1 });
  });

  test("whose value only its own caller saw has stored nothing", () => {
    const made = history().put(3, { start: 0, outcome: "unknown" }).remove(2, { start: 150 });
    made.loads.push({ id: 3, key: "k", askedAt: 100, answeredAt: 300 });
    expect(found(made)).toEqual({});
  });

  test("is not overtaken by what came before it asked or after it had its answer", () => {
    const made = loaded().remove(1, { start: 50 }).remove(2, { start: 295, end: 305 });
    expect(check(made, OPTIONS).staleLoads).toHaveLength(0);
    expect(found(made)).toEqual({});
  });
});
