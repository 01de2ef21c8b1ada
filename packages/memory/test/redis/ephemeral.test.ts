import { Buffer } from "node:buffer";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { startRedis } from "@cherry-ai/services";
import type { RedisServer } from "@cherry-ai/services";
import { describeWithRedis } from "@cherry-ai/services/vitest";
import { systemClock } from "../../src/model/clock.ts";
import type { ItemRef } from "../../src/model/item.ts";
import { EPHEMERAL_VERSION_MIN } from "../../src/model/version.ts";
import type { RedisTier } from "../../src/tiers/redis/redis-tier.ts";
import {
  copyOf,
  fillAt,
  putAt,
  recordOf,
  refOf,
  settleAt,
  versionAt,
  versionOf,
  wanted,
} from "../../src/testing/shared-suite/fixture.ts";
import { closeTiers, openTier } from "./support.ts";

describeWithRedis("ephemeral items in Redis", () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedis();
  });
  afterEach(closeTiers);
  afterAll(() => server.remove());

  const open = (): Promise<RedisTier> => openTier(server.url);

  test("versions rise with each write, also after a removal, and lie above all durable ones", async () => {
    const tier = await open();
    const at = refOf("rising");
    const versions: number[] = [];
    for (let round = 0; round < 20; round += 1) {
      versions.push(versionOf(await putAt(tier, at)));
      versions.push(versionOf(await tier.touchEphemeral(at, undefined, undefined)));
      await tier.removeEphemeral(at, undefined);
    }
    expect(versions).toEqual([...new Set(versions)].toSorted((a, b) => a - b));
    expect(
      versions.every((version) => version > EPHEMERAL_VERSION_MIN && Number.isSafeInteger(version)),
    ).toBe(true);
  });

  test("an item comes back with its proof, its base and its lifetime", async () => {
    const tier = await open();
    const at = refOf("whole");
    const fleeting = recordOf(at, 0, { body: Buffer.from("fleeting") });
    const version = versionOf(
      await putAt(tier, at, { record: fleeting, ttlMs: 5000, baseVersion: 3 }),
    );
    const beforeMs = systemClock.monotonicMs();
    const [entry] = await tier.findMany([at]);
    expect(entry).toMatchObject({ kind: "ephemeral", provenAt: 10, baseVersion: 3 });
    expect(entry?.record).toMatchObject({ version, ...at });
    expect(String(entry?.record.body)).toBe("fleeting");
    expect(entry?.record.deadlineMs).toBeLessThanOrEqual(systemClock.monotonicMs() + 5000);
    expect(entry?.record.deadlineMs).toBeGreaterThan(beforeMs - 10_000);
  });

  test("an item ends with its lifetime", async () => {
    const tier = await open();
    const at = refOf("short");
    await putAt(tier, at, { ttlMs: 20 });
    await expect.poll(() => versionAt(tier, at)).toBeUndefined();
  });

  test("conditions are judged against the ephemeral item that is there", async () => {
    const tier = await open();
    const at = refOf("judged");
    expect(await putAt(tier, at, { condition: "present" })).toEqual({
      status: "conflict",
      currentVersion: null,
    });
    const first = versionOf(await putAt(tier, at, { condition: "absent" }));
    expect(await putAt(tier, at, { condition: "absent" })).toEqual({
      status: "conflict",
      currentVersion: first,
    });
    expect(await putAt(tier, at, { condition: first - 1 })).toMatchObject({ status: "conflict" });
    const second = versionOf(await putAt(tier, at, { condition: first }));
    expect(await tier.touchEphemeral(at, 1000, first)).toMatchObject({ status: "conflict" });
    const third = versionOf(await tier.touchEphemeral(at, 1000, second));
    expect(await tier.removeEphemeral(at, second)).toEqual({
      status: "conflict",
      currentVersion: third,
    });
    expect(await tier.removeEphemeral(at, third)).toEqual({
      status: "written",
      version: third,
      existed: true,
    });
    expect(await tier.removeEphemeral(at, "present")).toMatchObject({ status: "conflict" });
  });

  test("removing and touching what is not there does nothing, to copies and markers neither", async () => {
    const tier = await open();
    const nothing = { status: "written", version: 0, existed: false };
    await fillAt(tier, refOf("copy"), 5);
    for (const key of ["hole", "copy"]) {
      expect(await tier.removeEphemeral(refOf(key), undefined)).toEqual(nothing);
      expect(await tier.touchEphemeral(refOf(key), 1, undefined)).toEqual(nothing);
    }
    expect(await versionAt(tier, refOf("copy"))).toBe(5);
  });

  test("a touch changes lifetime and version alone", async () => {
    const tier = await open();
    const at = refOf("touched");
    await putAt(tier, at, { record: recordOf(at, 0, { metadata: { a: 1 }, tags: ["t"] }) });
    await tier.touchEphemeral(at, undefined, undefined);
    const [lasting] = await tier.findMany([at]);
    expect(lasting?.record).toMatchObject({
      metadata: { a: 1 },
      tags: ["t"],
      expiresAtMs: undefined,
      deadlineMs: Number.POSITIVE_INFINITY,
    });
    await tier.touchEphemeral(at, 20, undefined);
    await expect.poll(() => versionAt(tier, at)).toBeUndefined();
  });

  test("a durable change that the setter does not know of is in the way", async () => {
    const tier = await open();
    await settleAt(tier, refOf("marker"), 7);
    await fillAt(tier, refOf("copy"), 7);
    for (const at of [refOf("marker"), refOf("copy")]) {
      expect(await putAt(tier, at, { baseVersion: 6 })).toEqual({ status: "durable", version: 7 });
      expect(await putAt(tier, at, { baseVersion: 7 })).toMatchObject({ status: "written" });
    }
  });

  test("an item makes way for a newer durable change, and not for an old one", async () => {
    const tier = await open();
    const at = refOf("makes-way");
    await putAt(tier, at, { baseVersion: 7 });
    expect(await settleAt(tier, at, 7, copyOf(at, 7))).toBe("older");
    expect((await tier.findMany([at]))[0]?.kind).toBe("ephemeral");
    expect(await tier.lease([wanted(at, 7, 1000)])).toEqual([undefined]);
    expect(await settleAt(tier, at, 8, copyOf(at, 8))).toBe("stored");
    expect(await versionAt(tier, at)).toBe(8);
    await putAt(tier, at, { baseVersion: 8 });
    expect(await tier.lease([wanted(at, 9)])).not.toEqual([undefined]);
  });

  test("proof is renewed for exactly the version it is given for, and never taken back", async () => {
    const tier = await open();
    const at = refOf("proven");
    const version = versionOf(
      await putAt(tier, at, { provenAt: 10, baseVersion: 2, ttlMs: 50_000 }),
    );
    const proof = async (): Promise<unknown> => {
      const [entry] = await tier.findMany([at]);
      return { provenAt: entry?.provenAt, baseVersion: entry?.baseVersion };
    };
    await tier.proveEphemeral(at, { version: version - 1, provenAt: 99, baseVersion: 99 });
    expect(await proof()).toEqual({ provenAt: 10, baseVersion: 2 });
    await tier.proveEphemeral(at, { version, provenAt: 20, baseVersion: 3 });
    expect(await proof()).toEqual({ provenAt: 20, baseVersion: 3 });
    await tier.proveEphemeral(at, { version, provenAt: 15, baseVersion: 1 });
    expect(await proof()).toEqual({ provenAt: 20, baseVersion: 3 });
    const [entry] = await tier.findMany([at]);
    expect(entry?.record.version).toBe(version);
    expect(entry?.record.deadlineMs).toBeLessThan(Number.POSITIVE_INFINITY);
  });

  test("concurrent sets on one condition: one wins", async () => {
    const tiers = await Promise.all([1, 2].map(() => openTier(server.url, { epoch: "cas" })));
    const at = refOf("cas");
    const asked = tiers.flatMap((tier) =>
      Array.from({ length: 20 }, () => putAt(tier, at, { condition: "absent" })),
    );
    const results = await Promise.all(asked);
    expect(results.filter(({ status }) => status === "written")).toHaveLength(1);
  });

  test("removal by pattern walks all of a namespace, and touches nothing else", async () => {
    const tier = await open();
    const inside = Array.from({ length: 1200 }, (_, index) => refOf(`item:${index}`, "users/1"));
    await Promise.all(inside.map((at) => putAt(tier, at)));
    const others = [
      refOf("item:1", "users/10"),
      refOf("item:1", "users/1/deep"),
      refOf("x", "users/1"),
    ];
    await Promise.all(others.map((at) => putAt(tier, at)));
    await fillAt(tier, refOf("item:copy", "users/1"), 5);
    await settleAt(tier, refOf("item:marker", "users/1"), 5);
    const matches = ({ key }: ItemRef): boolean => key.startsWith("item:");
    expect(await tier.removeEphemeralWhere({ namespace: "users/1", below: false }, matches)).toBe(
      1200,
    );
    const left = await tier.findMany(others);
    expect(left.map((entry) => entry?.kind)).toEqual(["ephemeral", "ephemeral", "ephemeral"]);
    expect(await versionAt(tier, refOf("item:copy", "users/1"))).toBe(5);
    expect(await tier.removeEphemeralWhere({ namespace: "users/1", below: true }, () => true)).toBe(
      2,
    );
    expect(await tier.removeEphemeralWhere({ namespace: "", below: true }, () => true)).toBe(1);
  });

  test("removal by pattern takes a namespace's own letters literally", async () => {
    const tier = await open();
    await putAt(tier, refOf("k", "a*"));
    await putAt(tier, refOf("k", "ab"));
    expect(await tier.removeEphemeralWhere({ namespace: "a*", below: false }, () => true)).toBe(1);
    expect(await versionAt(tier, refOf("k", "ab"))).toBeDefined();
  });
});

describeWithRedis("the bus", () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedis();
  });
  afterEach(closeTiers);
  afterAll(() => server.remove());

  async function listener(epoch: string, prefix = "cherry"): Promise<[RedisTier, unknown[]]> {
    const heard: unknown[] = [];
    const tier = await openTier(server.url, { epoch, prefix });
    tier.onMessage((message) => heard.push(message));
    await expect.poll(() => tier.health().status).toBe("ready");
    return [tier, heard];
  }

  test("changes, clears and wakes reach the others of the same prefix and epoch", async () => {
    const [sender, own] = await listener("e");
    const [, other] = await listener("e");
    const [stranger, strange] = await listener("f");
    const [, apart] = await listener("e", "apart");
    own.length = 0;
    await sender.settle([
      { ...refOf("a"), version: 5, copy: undefined },
      { ...refOf("b"), version: 6, copy: undefined },
    ]);
    const clear = { namespace: "n", below: true, version: 7 };
    await sender.announce(clear);
    await sender.announce(undefined);
    const expected = [
      { kind: "change", ref: refOf("a"), version: 5 },
      { kind: "change", ref: refOf("b"), version: 6 },
      { kind: "clear", ...clear },
      { kind: "wake" },
    ];
    await expect.poll(() => other.slice(-4)).toEqual(expected);
    await expect.poll(() => own).toEqual(expected);
    const changes = (heard: unknown[]): number =>
      heard.filter((each) => JSON.stringify(each).includes("change")).length;
    expect(changes(strange) + changes(apart)).toBe(0);
    stranger.useEpoch("e");
    await expect
      .poll(async () => {
        await sender.announce(clear);
        return strange.some((each) => JSON.stringify(each).includes("clear"));
      })
      .toBe(true);
  });

  test("a bus that was cut off says so when it is back: what was missed is in the log", async () => {
    const [tier, heard] = await listener("e");
    heard.length = 0;
    await server.command("CLIENT", "KILL", "TYPE", "pubsub");
    await expect.poll(() => heard, { timeout: 10_000 }).toContainEqual({ kind: "wake" });
    await expect.poll(() => tier.health().status).toBe("ready");
  });

  test("without a bus nothing is subscribed to and all else works", async () => {
    const tier = await openTier(server.url, { bus: false });
    expect(await fillAt(tier, refOf("quiet"), 1)).toBe(true);
    expect(tier.health()).toEqual({ status: "ready" });
  });
});
