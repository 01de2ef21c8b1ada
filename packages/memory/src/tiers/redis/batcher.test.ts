import { describe, expect, it } from "vitest";
import { Batcher } from "./batcher.ts";

/** A batcher whose moment ends when the test says so. */
function batcherOf(work: (items: readonly string[]) => Promise<readonly string[]>): {
  readonly batcher: Batcher<string, string>;
  readonly endMoment: () => void;
} {
  let flush = (): void => {};
  const gather = (given: () => void): void => {
    flush = given;
  };
  return { batcher: new Batcher({ itemsMax: 3, work, gather }), endMoment: () => flush() };
}

describe("a batcher", () => {
  it("does the steps of one moment together, and gives each its own answer", async () => {
    const calls: (readonly string[])[] = [];
    const { batcher, endMoment } = batcherOf(async (items) => {
      calls.push(items);
      return items.map((item) => item.toUpperCase());
    });
    const answers = Promise.all([batcher.add("a"), batcher.add("b")]);
    expect(calls).toEqual([]);
    endMoment();
    expect(await answers).toEqual(["A", "B"]);
    expect(calls).toEqual([["a", "b"]]);
  });

  it("does not wait for the end of the moment when a call is full", async () => {
    const calls: (readonly string[])[] = [];
    const { batcher, endMoment } = batcherOf(async (items) => {
      calls.push(items);
      return items;
    });
    const answers = Promise.all(["a", "b", "c", "d"].map((item) => batcher.add(item)));
    expect(calls).toEqual([["a", "b", "c"]]);
    endMoment();
    expect(await answers).toEqual(["a", "b", "c", "d"]);
    expect(calls).toEqual([["a", "b", "c"], ["d"]]);
  });

  it("fails each step of a call that failed, and none of the next", async () => {
    let fails = true;
    const { batcher, endMoment } = batcherOf(async (items) => {
      if (fails) throw new Error("away");
      return items;
    });
    const first = Promise.allSettled([batcher.add("a"), batcher.add("b")]);
    endMoment();
    expect((await first).map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    fails = false;
    const next = batcher.add("c");
    endMoment();
    expect(await next).toBe("c");
  });

  it("says undefined where the work gave no answer", async () => {
    const { batcher, endMoment } = batcherOf(async () => ["only"]);
    const answers = Promise.all([batcher.add("a"), batcher.add("b")]);
    endMoment();
    expect(await answers).toEqual(["only", undefined]);
  });
});
