import { expect, test } from "vitest";
import { ABSENT, ENTRIES_MAX, decodeSession } from "./session-token.ts";
import { sessionHash } from "./session-hash.ts";
import { FollowedSession } from "./session.ts";
import type { Sight } from "./session.ts";

const item = (key: string): { namespace: string; key: string } => ({ namespace: "a", key });

/** A server whose polls end when the test says so. */
class TestSight implements Sight {
  epoch = 1;
  end = 10;
  #answer: (() => void) | undefined;
  #fail: (() => void) | undefined;

  shown(): { readonly epoch: number; readonly horizon: { end: number; open: number[] } } {
    return { epoch: this.epoch, horizon: { end: this.end, open: [] } };
  }

  refresh(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#answer = resolve;
      this.#fail = () => {
        reject(new Error("away"));
      };
    });
  }

  boundOf(): undefined {}

  /** The poll under way ends, and has shown all up to `end`. */
  async answer(end: number): Promise<void> {
    this.end = end;
    this.#answer?.();
    await Promise.resolve();
  }

  fail(): void {
    this.#fail?.();
  }
}

function open(): { readonly sight: TestSight; readonly session: FollowedSession } {
  const sight = new TestSight();
  const demands = { epoch: 1, floor: undefined, versions: new Map<number, number>() };
  return { sight, session: new FollowedSession(sight, demands) };
}

function fill(session: FollowedSession, count: number): void {
  for (let at = 0; at < count; at += 1) session.saw(item(`k${at}`), at + 1, session.begin());
}

test("an answer that was asked for before an absence was seen does not take its place", () => {
  const { session } = open();
  const early = session.begin();
  session.saw(item("k"), undefined, session.begin());
  session.saw(item("k"), 5, early);
  expect(session.minVersion(item("k"))).toBe(ABSENT);
  session.saw(item("k"), 7, session.begin());
  expect(session.minVersion(item("k"))).toBe(7);
  session.saw(item("k"), 6, session.begin());
  expect(session.minVersion(item("k"))).toBe(7);
});

test("a read that kept to no demand never takes the place of an absence", () => {
  const { session } = open();
  session.saw(item("k"), undefined, session.begin());
  session.sawRead(item("k"), 5, -1);
  expect(session.minVersion(item("k"))).toBe(ABSENT);
});

test("what is seen while a full token is folded stays beside the floor", async () => {
  const { sight, session } = open();
  fill(session, ENTRIES_MAX + 1);
  const settling = session.settle();
  session.saw(item("late"), 99, session.begin());
  // Between the two the token can only ask for all of it.
  expect(decodeSession(session.token)).toMatchObject({ floor: "everything" });
  await sight.answer(20);
  await settling;
  expect(decodeSession(session.token)).toEqual({
    epoch: 1,
    floor: { end: 20, open: [] },
    versions: new Map([[sessionHash(item("late")), 99]]),
  });
});

test("a fold that fails demands everything, until a poll has shown it", async () => {
  const { sight, session } = open();
  fill(session, ENTRIES_MAX + 1);
  const settling = session.settle();
  sight.fail();
  await settling;
  expect(decodeSession(session.token)).toMatchObject({ floor: "everything", versions: new Map() });
  const demand = session.demand();
  await sight.answer(30);
  expect((await demand).minVersion(item("k1"))).toBe(0);
  expect(decodeSession(session.token)).toMatchObject({ floor: { end: 30 } });
});

test("another epoch that shows up while a token is folded loses nothing that was seen meanwhile", async () => {
  const { sight, session } = open();
  fill(session, ENTRIES_MAX + 1);
  const settling = session.settle();
  session.saw(item("late"), 99, session.begin());
  sight.epoch = 2;
  await sight.answer(3);
  await settling;
  expect(decodeSession(session.token)).toMatchObject({ epoch: 2, floor: "everything" });
});

test("what is seen in another epoch than the rest demands everything of the new one", () => {
  const { sight, session } = open();
  fill(session, 3);
  sight.epoch = 2;
  session.saw(item("k"), 1, session.begin());
  expect(decodeSession(session.token)).toMatchObject({ epoch: 2, floor: "everything" });
});

test("a floor that is not shown here waits for one poll; without one only the authority answers", async () => {
  const sight = new TestSight();
  const floor = { end: 11, open: [] };
  const versions = new Map<number, number>();
  const session = new FollowedSession(sight, { epoch: 1, floor, versions });
  const refused = session.demand();
  expect(refused).toBeInstanceOf(Promise);
  sight.fail();
  expect((await refused).minVersion(item("k"))).toBe(Number.POSITIVE_INFINITY);
  const granted = session.demand();
  await sight.answer(11);
  expect((await granted).minVersion(item("k"))).toBe(0);
  expect(session.demand()).not.toBeInstanceOf(Promise);
});

test("an ephemeral item is no demand", () => {
  const { session } = open();
  session.saw(item("k"), 2 ** 52 + 1, session.begin());
  expect(session.minVersion(item("k"))).toBe(0);
});
