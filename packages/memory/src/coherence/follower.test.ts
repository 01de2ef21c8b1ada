import { describe, expect, test } from "vitest";
import type { ItemRecord } from "../model/item.ts";
import { ManualClock } from "../testing/manual-clock.ts";
import { seededRandom } from "../testing/seeded-random.ts";
import type { Change, FollowPoll } from "../tiers/authority.ts";
import { ProcessTier } from "../tiers/process/process-tier.ts";
import { Copies } from "./copies.ts";
import { Follower } from "./follower.ts";
import { ItemHash } from "./item-hash.ts";
import { RecentChanges } from "./recent-changes.ts";
import { Validity } from "./validity.ts";

const STATE = { snapshot: "1:1:" };

function record(key: string, version: number, namespace = "a"): ItemRecord {
  return {
    namespace,
    key,
    version,
    body: new Uint8Array([1, 2, 3]),
    metadata: {},
    tags: [],
    createdAtMs: 0,
    updatedAtMs: 0,
    expiresAtMs: undefined,
    deadlineMs: Number.POSITIVE_INFINITY,
  };
}

function change(key: string, version: number, op: Change["op"] = "put", namespace = "a"): Change {
  return { id: version, namespace, key, version, op, atMs: 0 };
}

/** A follower whose polls are answered by the test. */
function setUp(): {
  readonly clock: ManualClock;
  readonly copies: Copies;
  readonly validity: Validity;
  readonly follower: Follower;
  readonly recent: RecentChanges;
  readonly epochs: string[];
  answer: (poll: Partial<FollowPoll>) => void;
} {
  const clock = new ManualClock();
  const bytes = new ProcessTier({ maxBytes: 1 << 22, maxItems: 1000, clock, eviction: "lru" });
  const copies = new Copies({ objects: undefined, bytes });
  const validity = new Validity(clock, 1000);
  let next: Partial<FollowPoll> = {};
  const authority = {
    follow: () =>
      Promise.resolve({
        changes: [],
        state: STATE,
        epoch: "one",
        sentAtMs: clock.monotonicMs(),
        gap: false,
        ...next,
      }),
  };
  const recent = new RecentChanges({ hash: new ItemHash(seededRandom(1)) });
  const epochs: string[] = [];
  const onEpoch = (epoch: string): void => void epochs.push(epoch);
  const follower = new Follower({ authority, copies, validity, clock, recent, onEpoch });
  return { clock, copies, validity, follower, recent, epochs, answer: (poll) => (next = poll) };
}

describe("Follower", () => {
  test("a change takes away the older copy and leaves the same or a newer one", async () => {
    const { copies, follower, answer } = setUp();
    await follower.poll();
    copies.bytes?.offer(record("old", 1));
    copies.bytes?.offer(record("same", 5));
    answer({ changes: [change("old", 4), change("same", 5)] });
    await follower.poll();
    expect(copies.bytes?.find("a", "old")).toBeUndefined();
    expect(copies.bytes?.find("a", "same")?.version).toBe(5);
  });

  test.each([
    [true, ["users/10"]],
    [false, ["users/1/notes", "users/10"]],
  ])("a clear with below: %s leaves only %j", async (below, expected) => {
    const { copies, follower, answer } = setUp();
    await follower.poll();
    for (const namespace of ["users/1", "users/1/notes", "users/10"])
      copies.bytes?.offer(record("k", 1, namespace));
    answer({ changes: [{ ...change("", 2, "clear", "users/1"), below }] });
    await follower.poll();
    const left = ["users/1", "users/1/notes", "users/10"].filter(
      (namespace) => copies.bytes?.find(namespace, "k") !== undefined,
    );
    expect(left).toEqual(expected);
  });

  test.each([
    ["a gap", { gap: true }],
    ["another epoch", { epoch: "two" }],
  ])("%s drops every copy and refuses what is in flight", async (_, poll) => {
    const { copies, follower, answer } = setUp();
    await follower.poll();
    copies.bytes?.offer(record("k", 1));
    const token = copies.guard.begin();
    answer(poll);
    await follower.poll();
    expect(copies.bytes?.find("a", "k")).toBeUndefined();
    expect(token.allows({ namespace: "a", key: "k" }, 1)).toBe(false);
  });

  test("a poll proves currency as of the moment it was sent", async () => {
    const { clock, validity, follower, answer } = setUp();
    answer({ sentAtMs: clock.monotonicMs() - 400 });
    await follower.poll();
    expect(validity.remainingMs()).toBe(600);
  });

  test("calls that meet share one query", async () => {
    const { follower, answer, validity } = setUp();
    answer({});
    const [first, second] = [follower.poll(), follower.poll()];
    expect(first).toBe(second);
    await first;
    expect(validity.holds()).toBe(true);
  });

  test("a refresh is a poll that was sent after it was asked for, shared by all who wait", async () => {
    const { follower, answer } = setUp();
    answer({ epoch: "before" });
    const underWay = follower.poll();
    // The query under way was answered before; the next one is still to be sent.
    answer({ epoch: "after" });
    const [first, second] = [follower.refresh(), follower.refresh()];
    expect(first).toBe(second);
    await underWay;
    expect(follower.applied?.epoch).toBe("before");
    await first;
    expect(follower.applied?.epoch).toBe("after");
  });

  test("what lies outside the process is judged by what was applied", async () => {
    const { follower, recent, answer } = setUp();
    answer({ state: { snapshot: "90:100:90" } });
    await follower.poll();
    expect(recent.completeFrom).toBe(100);
    answer({
      state: { snapshot: "103:105:103" },
      changes: [change("k", 7), { ...change("", 8, "clear", "b"), below: true }],
    });
    await follower.poll();
    expect(follower.applied).toMatchObject({ settled: 103, unborn: 105, epoch: "one" });
    expect(recent.completeFrom).toBe(100);
    expect(recent.newest({ namespace: "a", key: "k" })).toBe(7);
    expect(recent.newest({ namespace: "b/c", key: "k" })).toBe(8);
  });

  test.each([{ gap: true }, { epoch: "two" }])(
    "after %j nothing from before is vouched for",
    async (what) => {
      const { follower, recent, epochs, answer } = setUp();
      await follower.poll();
      answer({ state: { snapshot: "200:200:" }, ...what });
      await follower.poll();
      expect(recent.completeFrom).toBe(200);
      expect(epochs).toEqual(["one", ...(what.epoch === undefined ? [] : [what.epoch])]);
    },
  );
});
