import { describe, expect, it } from "vitest";
import { ReadsAhead } from "./reads-ahead.ts";

const ref = { namespace: "n", key: "k" };

describe("reads ahead of the log", () => {
  it("keep older copies away until a poll that was sent later is applied", () => {
    const ahead = new ReadsAhead();
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
    const ahead = new ReadsAhead();
    ahead.note(ref, Number.POSITIVE_INFINITY);
    ahead.note(ref, 3);
    expect(ahead.admits(ref, 2 ** 52)).toBe(false);
  });

  it("admit nothing when more was read than they hold", () => {
    const ahead = new ReadsAhead();
    for (let at = 0; at <= 50_000; at += 1) ahead.note({ namespace: "n", key: String(at) }, 1);
    ahead.applied();
    expect(ahead.admits(ref, 1)).toBe(false);
    ahead.applied();
    expect(ahead.admits(ref, 1)).toBe(true);
  });
});
