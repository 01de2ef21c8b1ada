import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { startRedis } from "@cherry-ai/services";
import type { RedisServer } from "@cherry-ai/services";
import { describeWithRedis } from "@cherry-ai/services/vitest";
import { systemClock } from "../../src/model/clock.ts";
import type { RedisTier } from "../../src/tiers/redis/redis-tier.ts";
import {
  copyOf,
  fillAt,
  recordOf,
  refOf,
  settleAt,
  versionAt,
  wanted,
} from "../../src/testing/shared-suite/fixture.ts";
import { closeTiers, openTier } from "./support.ts";

describeWithRedis("copies in Redis", () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedis();
  });
  afterEach(closeTiers);
  afterAll(() => server.remove());

  const open = (): Promise<RedisTier> => openTier(server.url);

  test("what was filled under a lease comes back as it was", async () => {
    const tier = await open();
    const at = refOf("k\u0301:*[x]", "ünï/{tag}");
    const full = recordOf(at, 7, { metadata: { a: [1, "é"] }, tags: ["x", "y"] });
    const [lease] = await tier.lease([wanted(at)]);
    expect(await tier.fill([{ record: full, provenAt: 12, lease: lease ?? "" }])).toEqual([true]);
    const [found] = await tier.findMany([at]);
    expect(found).toMatchObject({ kind: "copy", record: full, provenAt: 12, baseVersion: 0 });
  });

  test("only one of many readers gets the lease", async () => {
    const tiers = await Promise.all([1, 2, 3].map(() => openTier(server.url, { epoch: "shared" })));
    const at = refOf("exclusive");
    const asked = tiers.flatMap((tier) =>
      Array.from({ length: 20 }, () => tier.lease([wanted(at)])),
    );
    const granted = (await Promise.all(asked)).flat().filter((lease) => lease !== undefined);
    expect(granted).toHaveLength(1);
  });

  test("a lease can be used once", async () => {
    const tier = await open();
    const at = refOf("once");
    const [lease = ""] = await tier.lease([wanted(at)]);
    expect(await tier.fill([{ ...copyOf(at, 5), lease }])).toEqual([true]);
    expect(await tier.fill([{ ...copyOf(at, 6), lease }])).toEqual([false]);
    expect(await versionAt(tier, at)).toBe(5);
  });

  test.each([
    ["a write", (tier: RedisTier) => settleAt(tier, refOf("dies"), 9, copyOf(refOf("dies"), 9))],
    ["a delete", (tier: RedisTier) => settleAt(tier, refOf("dies"), 9)],
    ["a flush", () => server.command("FLUSHDB")],
    [
      "an ephemeral item",
      (tier: RedisTier) =>
        tier.putEphemeral({
          record: recordOf(refOf("dies"), 0),
          ttlMs: 60_000,
          provenAt: 1,
          baseVersion: 0,
          condition: undefined,
        }),
    ],
  ])("a lease dies with %s", async (_name, happens) => {
    const tier = await open();
    const at = refOf("dies");
    const [lease = ""] = await tier.lease([wanted(at)]);
    await happens(tier);
    expect(await tier.fill([{ ...copyOf(at, 5), lease }])).toEqual([false]);
    const [entry] = await tier.findMany([at]);
    expect(entry?.kind === "copy").toBe(false);
  });

  test("a lease that was not used runs out, and the next reader gets one", async () => {
    const tier = await openTier(server.url, { leaseMs: 30 });
    const at = refOf("late");
    const [lease = ""] = await tier.lease([wanted(at)]);
    await expect.poll(() => tier.lease([wanted(at)])).not.toEqual([undefined]);
    expect(await tier.fill([{ ...copyOf(at, 5), lease }])).toEqual([false]);
  });

  test("a lease that was given back is the next reader's", async () => {
    const tier = await open();
    const at = refOf("back");
    await settleAt(tier, at, 4);
    const [lease = ""] = await tier.lease([wanted(at)]);
    await tier.release([{ ...at, lease }]);
    expect(await tier.fill([{ ...copyOf(at, 5), lease }])).toEqual([false]);
    // What the marker said is still known.
    expect(await fillAt(tier, at, 3)).toBe(false);
    expect(await fillAt(tier, at, 4)).toBe(true);
  });

  test("nothing older than a marker is filled in over it, also after its lease ran out", async () => {
    const tier = await openTier(server.url, { leaseMs: 30 });
    const at = refOf("marked");
    expect(await settleAt(tier, at, 7)).toBe("marked");
    await tier.lease([wanted(at)]);
    await expect.poll(() => fillAt(tier, at, 7)).toBe(true);
    await settleAt(tier, at, 9);
    expect(await fillAt(tier, at, 8)).toBe(false);
  });

  test("a copy makes way for a reader who knows better, and not for others", async () => {
    const tier = await open();
    const at = refOf("known");
    expect(await fillAt(tier, at, 5)).toBe(true);
    expect(await tier.lease([wanted(at)])).toEqual([undefined]);
    expect(await tier.lease([wanted(at, 5, 4)])).toEqual([undefined]);
    expect(await tier.lease([wanted(at, 5, 5)])).not.toEqual([undefined]);
    expect(await versionAt(tier, at)).toBeUndefined();
  });

  test("who knows of a newer version raises what may be filled in under another's lease", async () => {
    const tier = await open();
    const at = refOf("raised");
    const [lease = ""] = await tier.lease([wanted(at)]);
    expect(await tier.lease([wanted(at, 8)])).toEqual([undefined]);
    expect(await tier.fill([{ ...copyOf(at, 7), lease }])).toEqual([false]);
    expect(await versionAt(tier, at)).toBeUndefined();
  });

  test("settling replaces what is older, leaves what is newer, and never fills a hole", async () => {
    const tier = await open();
    const at = refOf("settled");
    expect(await settleAt(tier, at, 3, copyOf(at, 3))).toBe("marked");
    expect(await versionAt(tier, at)).toBeUndefined();
    expect(await settleAt(tier, at, 4, copyOf(at, 4))).toBe("stored");
    expect(await settleAt(tier, at, 4)).toBe("older");
    expect(await settleAt(tier, at, 2)).toBe("older");
    expect(await versionAt(tier, at)).toBe(4);
    expect(await settleAt(tier, at, 5)).toBe("marked");
    expect(await versionAt(tier, at)).toBeUndefined();
  });

  test("a write under a lease leaves a marker, for the lease knows no more than a hole", async () => {
    const tier = await open();
    const at = refOf("leased");
    await tier.lease([wanted(at)]);
    expect(await settleAt(tier, at, 5, copyOf(at, 5))).toBe("marked");
  });

  test("many keys in one call keep their order", async () => {
    const tier = await open();
    const refs = Array.from({ length: 300 }, (_, index) => refOf(`many-${index}`));
    const leases = await tier.lease(refs.map((at) => wanted(at)));
    const odd = refs.flatMap((at, index) =>
      index % 2 === 0 ? [] : [{ ...copyOf(at, index), lease: leases[index] ?? "" }],
    );
    expect(await tier.fill(odd)).toEqual(odd.map(() => true));
    const found = await tier.findMany(refs);
    expect(found.map((entry) => entry?.record.version)).toEqual(
      refs.map((_, index) => (index % 2 === 0 ? undefined : index)),
    );
    expect(found[1]?.record.key).toBe("many-1");
    const settled = await tier.settle(
      refs.map((at) => ({ ...at, version: 500, copy: copyOf(at, 500) })),
    );
    expect(settled).toEqual(refs.map((_, index) => (index % 2 === 0 ? "marked" : "stored")));
  });

  test("single reads of one moment become one command", async () => {
    const tier = await open();
    const refs = Array.from({ length: 50 }, (_, index) => refOf(`one-${index}`));
    const calls = async (): Promise<number> => {
      const stats = String(await server.command("INFO", "commandstats"));
      return Number(/cmdstat_mget:calls=(\d+)/.exec(stats)?.[1] ?? 0);
    };
    const before = await calls();
    await Promise.all(refs.map((at) => tier.findMany([at])));
    expect((await calls()) - before).toBe(1);
  });

  test("a lifetime counts from the grant of the lease, whenever the fill arrives", async () => {
    const tier = await open();
    const at = refOf("timed");
    const [lease = ""] = await tier.lease([wanted(at)]);
    const nowMs = systemClock.monotonicMs();
    const deadlineMs = nowMs + 60_000;
    const timed = recordOf(at, 5, { expiresAtMs: Date.now() + 60_000, deadlineMs });
    expect(await tier.fill([{ record: timed, provenAt: 1, lease }])).toEqual([true]);
    const [entry] = await tier.findMany([at]);
    expect(entry?.record.expiresAtMs).toBe(timed.expiresAtMs);
    expect(entry?.record.deadlineMs).toBeLessThanOrEqual(deadlineMs);
    expect(entry?.record.deadlineMs).toBeGreaterThan(deadlineMs - 20_000);
  });

  test("an item whose lifetime is over when the fill arrives is not stored", async () => {
    const tier = await open();
    const at = refOf("over");
    const [lease = ""] = await tier.lease([wanted(at)]);
    const deadlineMs = systemClock.monotonicMs() - 1;
    const timed = recordOf(at, 5, { expiresAtMs: Date.now(), deadlineMs });
    expect(await tier.fill([{ record: timed, provenAt: 1, lease }])).toEqual([false]);
    expect(await fillAt(tier, at, 6)).toBe(true);
  });

  test("a copy with a lifetime is never settled in, only marked", async () => {
    const tier = await open();
    const at = refOf("timed-settle");
    await fillAt(tier, at, 4);
    const deadlineMs = systemClock.monotonicMs() + 60_000;
    const copy = { record: recordOf(at, 5, { expiresAtMs: 1, deadlineMs }), provenAt: 5 };
    expect(await tier.settle([{ ...at, version: 5, copy }])).toEqual(["marked"]);
  });

  test("everything that is no ephemeral item has an end within the hour", async () => {
    const tier = await openTier(server.url, { prefix: "ends" });
    await settleAt(tier, refOf("marker"), 5);
    await fillAt(tier, refOf("copy"), 5);
    await tier.lease([wanted(refOf("lease")), wanted(refOf("marker"))]);
    const names = await server.command("KEYS", "ends:*");
    const ours = Array.isArray(names)
      ? names.filter((name) => !String(name).endsWith("probe"))
      : [];
    expect(ours).toHaveLength(3);
    for (const name of ours) {
      const leftMs = Number(await server.command("PTTL", String(name)));
      expect(leftMs).toBeGreaterThan(0);
      expect(leftMs).toBeLessThanOrEqual(3_600_000);
    }
  });

  test("damage is a miss that can be filled anew, whatever lies there", async () => {
    const tier = await openTier(server.url, { prefix: "damage", epoch: "e" });
    const at = refOf("damaged", "n");
    const name = "damage:1:P3m7e0NbBTIW:n\u0000damaged";
    for (const wrong of ["", "C", "X".repeat(100), "C00000000000000050000000000000005", "Mxyz"]) {
      await server.command("SET", name, wrong);
      expect(await tier.findMany([at, refOf("other")])).toEqual([undefined, undefined]);
      expect(await fillAt(tier, at, 5)).toBe(true);
    }
    await server.command("DEL", name);
    await server.command("RPUSH", name, "a list");
    expect(await tier.findMany([at])).toEqual([undefined]);
    expect(await fillAt(tier, at, 5)).toBe(true);
    await server.command("DEL", name);
    await server.command("RPUSH", name, "a list");
    expect(await settleAt(tier, at, 6)).toBe("marked");
  });

  test("scripts that Redis forgot are sent again", async () => {
    const tier = await open();
    await fillAt(tier, refOf("a"), 1);
    await server.command("SCRIPT", "FLUSH");
    expect(await fillAt(tier, refOf("b"), 1)).toBe(true);
  });

  test("two prefixes and two epochs see nothing of each other", async () => {
    const at = refOf("apart");
    const one = await openTier(server.url, { prefix: "one", epoch: "e" });
    const two = await openTier(server.url, { prefix: "two", epoch: "e" });
    const later = await openTier(server.url, { prefix: "one", epoch: "f" });
    await fillAt(one, at, 5);
    expect(await versionAt(two, at)).toBeUndefined();
    expect(await versionAt(later, at)).toBeUndefined();
    expect(await fillAt(two, at, 6)).toBe(true);
    expect(await versionAt(one, at)).toBe(5);
    one.useEpoch("f");
    expect(await versionAt(one, at)).toBeUndefined();
  });

  test("databases by number are apart", async () => {
    const at = refOf("db");
    const zero = await openTier(server.url, { epoch: "e" });
    const three = await openTier(`${server.url}/3`, { epoch: "e" });
    await fillAt(three, at, 5);
    expect(await versionAt(zero, at)).toBeUndefined();
    expect(await versionAt(three, at)).toBe(5);
  });
});
