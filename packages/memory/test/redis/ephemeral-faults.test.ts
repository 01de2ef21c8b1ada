import { afterEach, beforeEach, expect, test } from "vitest";
import { startProxy, startRedis } from "@cherry-ai/services";
import type { Proxy, RedisServer } from "@cherry-ai/services";
import { describeWithRedis } from "@cherry-ai/services/vitest";
import type { ItemRef } from "../../src/model/item.ts";
import { expectCode } from "../../src/testing/expect-code.ts";
import type { RedisTier } from "../../src/tiers/redis/redis-tier.ts";
import { putAt, refOf, versionAt } from "../../src/testing/shared-suite/fixture.ts";
import { closeTiers, openTier } from "./support.ts";

/** Quick to give up, as in production. */
const HASTY = { commandTimeoutMs: 150, connectTimeoutMs: 500, startTimeoutMs: 500, bus: false };
const EPOCH = "faults";

type Change = (tier: RedisTier, at: ItemRef) => Promise<unknown>;

const CHANGES: [string, Change][] = [
  ["a set", (tier, at) => putAt(tier, at)],
  ["a removal", (tier, at) => tier.removeEphemeral(at, undefined)],
  ["a touch", (tier, at) => tier.touchEphemeral(at, 30_000, undefined)],
  [
    "a removal by namespace",
    (tier, { namespace }) =>
      tier.removeEphemeralWhere({ namespace, below: false }, ({ key }) => key === "k"),
  ],
];

describeWithRedis("a change of an ephemeral item that Redis does not answer", () => {
  let server: RedisServer;
  let proxy: Proxy;
  let tier: RedisTier;
  let patient: RedisTier;
  const at = refOf("k", "faults");

  beforeEach(async () => {
    server = await startRedis();
    proxy = await startProxy({ target: server.port });
    patient = await openTier(server.url, { epoch: EPOCH, bus: false });
    await putAt(patient, at);
    tier = await openTier(proxy.through(server.url), { ...HASTY, epoch: EPOCH });
    await expect.poll(() => tier.health().status).toBe("ready");
  });
  afterEach(async () => {
    await closeTiers();
    await proxy.close();
    await server.remove();
  });

  /** Redis knows the script from now on: it is sent once. */
  async function warmUp(change: Change): Promise<void> {
    const other = refOf("k", "warm");
    await putAt(patient, other);
    await change(patient, other);
  }

  test.each(CHANGES)("%s that was carried out is OUTCOME_UNKNOWN", async (_, change) => {
    await warmUp(change);
    const before = await versionAt(patient, at);
    proxy.onData = (way, data) =>
      way === "up" && /eval/.test(data.toString()) ? "cut-after" : "pass";
    await expectCode("OUTCOME_UNKNOWN", () => change(tier, at));
    await expect.poll(() => versionAt(patient, at)).not.toBe(before);
  });

  test.each(CHANGES)("%s that Redis will carry out later is OUTCOME_UNKNOWN", async (_, change) => {
    await warmUp(change);
    const before = await versionAt(patient, at);
    proxy.onData = (way, data) => {
      if (way === "up" && /eval/.test(data.toString())) proxy.stall("down");
      return "pass";
    };
    await expectCode("OUTCOME_UNKNOWN", () => change(tier, at));
    await expect.poll(() => versionAt(patient, at)).not.toBe(before);
  });

  test.each(CHANGES)("%s that was not sent is STORE_UNAVAILABLE", async (_, change) => {
    const before = await versionAt(patient, at);
    proxy.refuse();
    await expect.poll(() => tier.health().status).toBe("degraded");
    await expectCode("STORE_UNAVAILABLE", () => change(tier, at));
    expect(await versionAt(patient, at)).toBe(before);
  });

  test.each(CHANGES.slice(0, 3))(
    "%s that Redis refuses is STORE_UNAVAILABLE",
    async (_, change) => {
      await server.command("REPLICAOF", "127.0.0.1", 1);
      await server.command("CONFIG", "SET", "replica-serve-stale-data", "yes");
      await expectCode("STORE_UNAVAILABLE", () => change(tier, at));
    },
  );

  test("a removal by namespace that ends half way is OUTCOME_UNKNOWN", async () => {
    const many = Array.from({ length: 1500 }, (_, index) => refOf(`many:${index}`, "half"));
    await Promise.all(many.map((one) => putAt(patient, one)));
    let removals = 0;
    proxy.onData = (way, data) => {
      if (way === "up" && /eval/.test(data.toString())) removals += 1;
      // The first may take two: by its hash, and in full.
      return removals > 2 ? "cut" : "pass";
    };
    const scope = { namespace: "half", below: false };
    await expectCode("OUTCOME_UNKNOWN", () => tier.removeEphemeralWhere(scope, () => true));
    const left = await patient.findMany(many);
    expect(left.filter((entry) => entry !== undefined).length).toBeLessThan(many.length);
  });
});
