import { describe, expect, it } from "vitest";
import { seededRandom } from "../testing/seeded-random.ts";
import { ItemHash } from "./item-hash.ts";
import { ReadsAhead } from "./reads-ahead.ts";

const ref = { namespace: "n", key: "k" };

describe("reads ahead of the log", () => {
  it("keep older copies away until a poll that was sent later is applied", () => {
    const ahead = new ReadsAhead(new ItemHash(seededRandom(1)));
    ahead.note(ref, 7);
    expect(ahead.admits(ref, 6)).toBe(false);
    expect(ahead.admits(ref, 7)).toBe(true);
    expect(ahead.admits({ namespace: "n", key: "other" }, 1)).toBe(true);
    // This one may have been sent before the read.
    ahead.applied();
    expect(ahead.admits(ref, 6)).toBe(false);
    ahead.applied();
    expect(ahead.admits(ref, 6)).toBe(true);
  });

  it("know the absence of an item as later than every copy", () => {
    const ahead = new ReadsAhead(new ItemHash(seededRandom(1)));
    ahead.note(ref, Number.POSITIVE_INFINITY);
    ahead.note(ref, 3);
    expect(ahead.admits(ref, 2 ** 52)).toBe(false);
  });

  it("admit nothing when more was read than they hold", () => {
    const ahead = new ReadsAhead(new ItemHash(seededRandom(1)));
    for (let at = 0; at <= 132_000; at += 1) ahead.note({ namespace: "n", key: String(at) }, 1);
    ahead.applied();
    expect(ahead.admits(ref, 1)).toBe(false);
    ahead.applied();
    expect(ahead.admits(ref, 1)).toBe(true);
  });

  it("keep away what a clear hid, of the namespaces that it hit", () => {
    const ahead = new ReadsAhead(new ItemHash(seededRandom(1)));
    ahead.noteClear({ namespace: "n", below: true, version: 5 });
    for (let polls = 0; polls < 2; polls += 1) {
      expect(ahead.admits({ namespace: "n/below", key: "k" }, 4)).toBe(false);
      expect(ahead.admits(ref, 6)).toBe(true);
      expect(ahead.admits({ namespace: "other", key: "k" }, 4)).toBe(true);
      ahead.applied();
    }
    expect(ahead.admits(ref, 4)).toBe(true);
  });

  it("admit nothing after more clears than they hold", () => {
    const ahead = new ReadsAhead(new ItemHash(seededRandom(1)));
    for (let version = 1; version <= 65; version += 1)
      ahead.noteClear({ namespace: `n${version}`, below: false, version });
    expect(ahead.admits(ref, 100)).toBe(false);
  });

  it("refuse what would become an older copy here than was shown, but not what comes after an absence", () => {
    const ahead = new ReadsAhead(new ItemHash(seededRandom(1)));
    ahead.note(ref, 7);
    for (let polls = 0; polls < 2; polls += 1) {
      expect([ahead.admitsFill(ref, 6), ahead.admitsFill(ref, 7)]).toEqual([false, true]);
      ahead.applied();
    }
    expect(ahead.admitsFill(ref, 6)).toBe(true);
    ahead.note(ref, Number.POSITIVE_INFINITY);
    expect(ahead.admitsFill(ref, 8)).toBe(true);
  });

  it("refuse it also when the item, or another one with its hash, was absent meanwhile", () => {
    const ahead = new ReadsAhead(new ItemHash(() => 0));
    const hash = new ItemHash(() => 0).of(ref);
    ahead.note(ref, 7);
    ahead.note({ namespace: "n", key: "another" }, Number.POSITIVE_INFINITY, hash);
    expect([ahead.admitsFill(ref, 6), ahead.admitsFill(ref, 7)]).toEqual([false, true]);
    expect(ahead.admits(ref, 7)).toBe(false);
  });
});
