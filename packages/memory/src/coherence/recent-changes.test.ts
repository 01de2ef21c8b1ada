import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { seededRandom } from "../testing/seeded-random.ts";
import { ItemHash } from "./item-hash.ts";
import { RecentChanges } from "./recent-changes.ts";

const at = (key: string, namespace = "n"): { namespace: string; key: string } => ({
  namespace,
  key,
});

function following(changesPerSegment = 4): RecentChanges {
  const recent = new RecentChanges({ hash: new ItemHash(seededRandom(1)), changesPerSegment });
  recent.restart(100);
  return recent;
}

describe("what the recent changes admit", () => {
  it("vouches for nothing before it follows the log", () => {
    const recent = new RecentChanges({ hash: new ItemHash(seededRandom(1)) });
    expect(recent.admits(at("k"), 1, Number.MAX_SAFE_INTEGER)).toBe(false);
  });

  it("refuses a copy that was proven before the log is complete", () => {
    expect(following().admits(at("k"), 1, 99)).toBe(false);
    expect(following().admits(at("k"), 1, 100)).toBe(true);
  });

  it("refuses a copy below the newest version, in exactly its namespace", () => {
    const recent = following();
    recent.note(at("k"), 7);
    recent.note(at("k"), 5);
    expect(recent.admits(at("k"), 6, 100)).toBe(false);
    expect(recent.admits(at("k"), 7, 100)).toBe(true);
    expect(recent.admits(at("k", "other"), 6, 100)).toBe(true);
  });

  it("refuses what a clear emptied, below it only when the clear said so", () => {
    const recent = following();
    recent.noteClear({ namespace: "a", below: false, version: 9 });
    recent.noteClear({ namespace: "b", below: true, version: 9 });
    expect(recent.admits(at("k", "a"), 8, 100)).toBe(false);
    expect(recent.admits(at("k", "a"), 10, 100)).toBe(true);
    expect(recent.admits(at("k", "a/x"), 8, 100)).toBe(true);
    expect(recent.admits(at("k", "b/x"), 8, 100)).toBe(false);
    expect(recent.admits(at("k", "bx"), 8, 100)).toBe(true);
  });

  it("vouches for less of the past once clears or changes are too many to remember", () => {
    const recent = following();
    for (let version = 1; version <= 100; version += 1) {
      recent.advance(100 + version);
      recent.noteClear({ namespace: `n${version}`, below: false, version });
    }
    expect(recent.completeFrom).toBeGreaterThan(100);
  });

  it("forgets everything older when following starts again", () => {
    const recent = following();
    recent.note(at("k"), 7);
    recent.restart(200);
    expect(recent.newest(at("k"))).toBe(0);
    expect(recent.admits(at("k"), 7, 199)).toBe(false);
  });
});

/**
 * A step of many transactions on a few keys: begin one, end one of those open, poll, read a copy, or a
 * crash of the database.
 */
const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant("begin" as const), key: fc.nat(5) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("commit" as const), pick: fc.nat() }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("abort" as const), pick: fc.nat() }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("crash" as const) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("poll" as const) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("copy" as const), key: fc.nat(5) }) },
);

/**
 * A database in which ids of transactions are given out before they commit, in another order, and
 * after a crash again, if they are beyond the last that committed.
 */
class Log {
  nextXid = 100;
  version = 0;
  readonly open: { xid: number; key: number }[] = [];
  readonly committed: { xid: number; key: number; version: number }[] = [];

  /** No change shows from here on, nor is an id below given again. */
  get end(): number {
    return Math.max(99, ...this.committed.map(({ xid }) => xid)) + 1;
  }

  get settled(): number {
    return Math.min(this.end, ...this.open.map(({ xid }) => xid));
  }

  newest(key: number): number {
    return Math.max(0, ...this.committed.filter((c) => c.key === key).map((c) => c.version));
  }

  /** As a row's lock has it: one transaction at a time on one key, so versions rise with commits. */
  begin(key: number): void {
    if (this.open.some((other) => other.key === key)) return;
    this.open.push({ xid: this.nextXid, key });
    this.nextXid += 1;
  }

  commit(pick: number): void {
    const [ended] = this.open.splice(pick % Math.max(1, this.open.length), 1);
    this.version += 1;
    if (ended !== undefined) this.committed.push({ ...ended, version: this.version });
  }

  abort(pick: number): void {
    this.open.splice(pick % Math.max(1, this.open.length), 1);
  }

  crash(): void {
    this.open.length = 0;
    this.nextXid = this.end;
  }
}

describe("against a log whose transactions commit in any order", () => {
  it("admits only what is as current as the last poll, and admits what did not change", () => {
    let admitted = 0;
    fc.assert(
      fc.property(fc.array(step, { minLength: 20, maxLength: 200 }), fc.nat(), (steps, late) => {
        const log = new Log();
        const recent = new RecentChanges({
          hash: new ItemHash(seededRandom(2)),
          changesPerSegment: 1,
        });
        let seen: { end: number; open: readonly number[] } | undefined;
        let settled: number | undefined;
        const truth = new Map<number, number>();
        const copies: { key: number; version: number; provenAt: number }[] = [];
        const poll = (): void => {
          const { end } = log;
          if (seen === undefined) recent.restart(end);
          else recent.advance(end);
          // As the authority follows: what the snapshot before did not show.
          for (const { xid, key, version } of log.committed)
            if (seen && (xid >= seen.end || seen.open.includes(xid)))
              recent.note(at(String(key)), version);
          seen = { end, open: log.open.map(({ xid }) => xid) };
          settled = log.settled;
          for (let key = 0; key <= 5; key += 1) truth.set(key, log.newest(key));
        };
        for (const [index, one] of steps.entries()) {
          if (one.do === "begin") log.begin(one.key);
          else if (one.do === "commit") log.commit(one.pick);
          else if (one.do === "abort") log.abort(one.pick);
          else if (one.do === "crash") log.crash();
          else if (one.do === "poll" && index >= late % 30) poll();
          // Another server may have made it: its own polls are as good as these or older.
          else if (one.do === "copy")
            copies.push({
              key: one.key,
              version: log.newest(one.key),
              provenAt: settled ?? log.settled,
            });
          for (const { key, version, provenAt } of copies) {
            if (!recent.admits(at(String(key)), version, provenAt)) continue;
            admitted += 1;
            expect(version).toBeGreaterThanOrEqual(truth.get(key) ?? 0);
          }
        }
      }),
      { numRuns: 500 },
    );
    expect(admitted).toBeGreaterThan(1000);
  });
});
