import { Buffer } from "node:buffer";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { freePort, startProxy, startRedis, temporaryFolder } from "@cherry-ai/services";
import type { RedisOptions, RedisServer } from "@cherry-ai/services";
import { describeWithRedis } from "@cherry-ai/services/vitest";
import type { ItemRef } from "../../src/model/item.ts";
import type { RedisTier } from "../../src/tiers/redis/redis-tier.ts";
import { expectCode } from "../../src/testing/expect-code.ts";
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

const servers = new Set<RedisServer>();

async function redis(options: RedisOptions = {}): Promise<RedisServer> {
  const server = await startRedis(options);
  servers.add(server);
  return server;
}

afterEach(async () => {
  await closeTiers();
  await Promise.all([...servers].map((server) => server.remove()));
  servers.clear();
});

/** Quick to give up, as in production. */
const HASTY = { commandTimeoutMs: 150, connectTimeoutMs: 500, startTimeoutMs: 500 };

const isReady = (tier: RedisTier): boolean => tier.health().status === "ready";

function answersAgain(tier: RedisTier): Promise<void> {
  return expect.poll(() => isReady(tier), { timeout: 30_000 }).toBe(true);
}

/** Calls until one is answered: after a fault the first may meet what is left of it. */
async function eventually<T>(call: () => Promise<T>): Promise<T> {
  let answer: { value: T } | undefined;
  await expect
    .poll(
      async () => {
        answer = await call().then(
          (value) => ({ value }),
          () => undefined,
        );
        return answer !== undefined;
      },
      { timeout: 30_000 },
    )
    .toBe(true);
  if (answer === undefined) throw new Error("no answer");
  return answer.value;
}

describeWithRedis("Redis away", () => {
  test("initialize goes on without it, calls fail at once, and it is used when it comes", async () => {
    const port = await freePort();
    const tier = await openTier(`redis://127.0.0.1:${port}`, { startTimeoutMs: 200 });
    expect(tier.health()).toMatchObject({ status: "degraded" });
    expect(tier.health().reason).toMatch(/cannot be reached.*ECONNREFUSED/);
    await expectCode("STORE_UNAVAILABLE", () => tier.findMany([refOf("a")]));
    await expectCode("STORE_UNAVAILABLE", () => settleAt(tier, refOf("a"), 1));
    await redis({ port });
    await answersAgain(tier);
    expect(await eventually(() => fillAt(tier, refOf("a"), 1))).toBe(true);
  });

  test("a crash fails what is under way and loses everything, which is no harm", async () => {
    const server = await redis();
    const tier = await openTier(server.url);
    await fillAt(tier, refOf("a"), 5);
    await server.kill();
    await expectCode("STORE_UNAVAILABLE", () => tier.findMany([refOf("a")]));
    await server.start();
    await answersAgain(tier);
    expect(await eventually(() => versionAt(tier, refOf("a")))).toBeUndefined();
    expect(await fillAt(tier, refOf("a"), 6)).toBe(true);
  });

  test("a Redis that hangs costs a few timeouts, then nothing, and is used again by itself", async () => {
    const server = await redis();
    const tier = await openTier(server.url, HASTY);
    await eventually(() => fillAt(tier, refOf("a"), 5));
    server.pause();
    const errors: string[] = [];
    for (let call = 0; call < 30; call += 1)
      await tier.findMany([refOf("a")]).catch((error: unknown) => errors.push(String(error)));
    expect(errors).toHaveLength(30);
    expect(
      errors.filter((text) => /not serve the call: it did not answer in time/.test(text)),
    ).toHaveLength(3);
    expect(errors.slice(3).every((text) => text.includes("was not sent"))).toBe(true);
    expect(tier.health().status).toBe("degraded");
    server.resume();
    await answersAgain(tier);
    expect(await eventually(() => versionAt(tier, refOf("a")))).toBe(5);
  });

  test("initialize does not wait for one that hangs", async () => {
    const server = await redis();
    server.pause();
    const tier = await openTier(server.url, HASTY);
    expect(tier.health().status).toBe("degraded");
    server.resume();
    await answersAgain(tier);
    expect(await eventually(() => fillAt(tier, refOf("a"), 5))).toBe(true);
  });

  test("a master that becomes a replica is left alone until it is one again", async () => {
    const server = await redis();
    const other = await redis();
    const tier = await openTier(server.url);
    await fillAt(tier, refOf("a"), 5);
    await server.command("REPLICAOF", "127.0.0.1", other.port);
    await expectCode("STORE_UNAVAILABLE", () => settleAt(tier, refOf("a"), 6));
    await expect.poll(() => tier.health().reason, { timeout: 30_000 }).toMatch(/read-only replica/);
    await server.command("REPLICAOF", "NO", "ONE");
    await answersAgain(tier);
    expect(await eventually(() => fillAt(tier, refOf("b"), 5))).toBe(true);
  });

  test("a connection that is half open is given up", async () => {
    const server = await redis();
    const proxy = await startProxy({ target: server.port });
    try {
      const tier = await openTier(proxy.through(server.url), { ...HASTY, bus: false });
      await answersAgain(tier);
      proxy.stall();
      await expectCode("STORE_UNAVAILABLE", () => tier.findMany([refOf("a")]));
      await expect.poll(() => isReady(tier), { timeout: 30_000 }).toBe(false);
      proxy.resume();
      await answersAgain(tier);
      expect(await eventually(() => fillAt(tier, refOf("b"), 5))).toBe(true);
    } finally {
      await proxy.close();
    }
  });

  test("a command whose answer was lost is not sent a second time", async () => {
    const server = await redis();
    const proxy = await startProxy({ target: server.port });
    try {
      const tier = await openTier(proxy.through(server.url), { bus: false });
      await fillAt(tier, refOf("warm"), 1);
      const calls = async (): Promise<number> => {
        const stats = String(await server.command("INFO", "commandstats"));
        return Number(/cmdstat_evalsha:calls=(\d+)/.exec(stats)?.[1] ?? 0);
      };
      await tier.lease([wanted(refOf("warm-2"))]);
      const before = await calls();
      proxy.onData = (direction, data) =>
        direction === "up" && data.includes("evalsha") ? "cut-after" : "pass";
      await expectCode("STORE_UNAVAILABLE", () => tier.lease([wanted(refOf("lost"))]));
      proxy.onData = undefined;
      await answersAgain(tier);
      await eventually(() => versionAt(tier, refOf("lost")));
      // The look at a new connection sends one of its own.
      const probes = 1;
      expect((await calls()) - before).toBeLessThanOrEqual(1 + probes);
    } finally {
      await proxy.close();
    }
  });
});

describeWithRedis("a command that was held up for 2.5 s and then carried out", () => {
  interface Stalled {
    readonly server: RedisServer;
    readonly hasty: RedisTier;
    readonly patient: RedisTier;
  }

  /** `hasty` gives up on `held`; what the others do meanwhile overtakes it. */
  async function holdUp(
    before: (tiers: Stalled) => Promise<unknown>,
    held: (tier: RedisTier) => Promise<unknown>,
  ): Promise<Stalled> {
    const server = await redis();
    const epoch = "held";
    const patient = await openTier(server.url, { epoch });
    const hasty = await openTier(server.url, { ...HASTY, commandTimeoutMs: 300, epoch });
    const stalled = { server, hasty, patient };
    await answersAgain(hasty);
    await eventually(() => before(stalled));
    server.pause();
    await expectCode("STORE_UNAVAILABLE", () => held(hasty));
    await new Promise((resolve) => setTimeout(resolve, 2500));
    server.resume();
    await answersAgain(hasty);
    return stalled;
  }

  test("an old write does not take the place of a newer one", async () => {
    const at = refOf("held");
    const { patient } = await holdUp(
      async ({ patient: tier }) => {
        await fillAt(tier, at, 5);
      },
      (tier) => settleAt(tier, at, 6, copyOf(at, 6)),
    );
    await settleAt(patient, at, 7, copyOf(at, 7));
    // It may have been carried out before or after; a second one like it comes for sure after.
    expect(await settleAt(patient, at, 6, copyOf(at, 6))).toBe("older");
    expect(await versionAt(patient, at)).toBe(7);
  });

  test("a fill does not bring back what was deleted meanwhile", async () => {
    const at = refOf("held");
    let lease = "";
    const { patient } = await holdUp(
      async ({ hasty: tier }) => {
        [lease = ""] = await tier.lease([wanted(at)]);
      },
      (tier) => tier.fill([{ ...copyOf(at, 5), lease }]),
    );
    await settleAt(patient, at, 6);
    expect(await versionAt(patient, at)).toBeUndefined();
    expect(await patient.fill([{ ...copyOf(at, 5), lease }])).toEqual([false]);
  });

  test("what was deleted does not come back though Redis forgot the marker", async () => {
    const at = refOf("held");
    const { patient, server } = await holdUp(
      async ({ patient: tier }) => {
        await settleAt(tier, at, 7);
      },
      (tier) => settleAt(tier, at, 6, copyOf(at, 6)),
    );
    await server.command("FLUSHDB");
    await settleAt(patient, at, 6, copyOf(at, 6));
    expect(await versionAt(patient, at)).toBeUndefined();
    // Neither under the lease of a reader who began to look meanwhile.
    await server.command("FLUSHDB");
    await patient.lease([wanted(at)]);
    await settleAt(patient, at, 6, copyOf(at, 6));
    expect(await versionAt(patient, at)).toBeUndefined();
  });
});

describeWithRedis("a full Redis", () => {
  const BIG = Buffer.alloc(200_000, "x");

  function bigFill(tier: RedisTier, at: ItemRef): Promise<readonly boolean[]> {
    return tier
      .lease([wanted(at)])
      .then(([lease = ""]) =>
        tier.fill([{ record: recordOf(at, 5, { body: BIG }), provenAt: 5, lease }]),
      );
  }

  test("without eviction it keeps nothing new, forgets what is old, and says so", async () => {
    const server = await redis({
      settings: { maxmemory: "6mb", "maxmemory-policy": "noeviction" },
    });
    const tier = await openTier(server.url, { prefix: "full", epoch: "e" });
    await bigFill(tier, refOf("before"));
    for (let index = 0; index < 40; index += 1) await bigFill(tier, refOf(`more-${index}`));
    expect(await bigFill(tier, refOf("beyond"))).toEqual([false]);
    expect(await versionAt(tier, refOf("before"))).toBe(5);
    expect(await settleAt(tier, refOf("before"), 6)).toBe("marked");
    expect(await versionAt(tier, refOf("before"))).toBeUndefined();
    const set = (): Promise<unknown> =>
      tier.putEphemeral({
        record: recordOf(refOf("e"), 0, { body: BIG }),
        ttlMs: 1000,
        provenAt: 1,
        baseVersion: 0,
        condition: undefined,
      });
    await bigFill(tier, refOf("again"));
    for (let index = 0; index < 3; index += 1) await set().catch(() => undefined);
    await expect(set()).rejects.toThrow(/memory is full/);
    expect(tier.health()).toMatchObject({
      status: "degraded",
      reason: expect.stringMatching(/memory is full/) as unknown,
    });
  });

  test("with eviction leases and markers go like everything else, and no harm is done", async () => {
    const server = await redis({
      settings: { maxmemory: "6mb", "maxmemory-policy": "allkeys-random" },
    });
    const tier = await openTier(server.url);
    expect(tier.health().warning).toMatch(/allkeys-random may evict ephemeral items/);
    const at = refOf("old");
    await settleAt(tier, at, 9);
    const [lease = ""] = await tier.lease([wanted(at)]);
    let stored = 0;
    for (let index = 0; index < 100; index += 1)
      if ((await bigFill(tier, refOf(`more-${index}`)))[0] === true) stored += 1;
    expect(stored).toBeGreaterThan(50);
    await tier.fill([{ ...copyOf(at, 8), lease }]);
    expect(await versionAt(tier, at)).toBeUndefined();
  });
});

describeWithRedis("close", () => {
  test("leaves no connection, also when called twice, before initialize or while Redis hangs", async () => {
    const server = await redis();
    const clients = async (): Promise<number> =>
      String(await server.command("CLIENT", "LIST"))
        .trim()
        .split("\n").length;
    const tier = await openTier(server.url);
    await fillAt(tier, refOf("a"), 1);
    await tier.close();
    await tier.close();
    expect(tier.health().status).toBe("closed");
    await expectCode("CLOSED", () => tier.findMany([refOf("a")]));
    await expect.poll(clients).toBe(1);
    const hanging = await openTier(server.url);
    server.pause();
    const pending = hanging.findMany([refOf("a")]).catch((error: unknown) => String(error));
    await hanging.close();
    expect(await pending).toMatch(/STORE_UNAVAILABLE|CLOSED|could not serve|closed/);
    server.resume();
    await expect.poll(clients).toBe(1);
  });
});

describeWithRedis("the password in a file", () => {
  test("is read again for each connection, so that it can change", async () => {
    const folder = temporaryFolder("password");
    const passwordFile = join(folder.path, "password");
    writeFileSync(passwordFile, "first\n");
    const server = await redis({ aclUsers: { app: "on >first ~* &* +@all" } });
    const tier = await openTier(`redis://app@127.0.0.1:${server.port}`, { passwordFile });
    expect(await fillAt(tier, refOf("a"), 1)).toBe(true);
    await server.command("ACL", "SETUSER", "app", "resetpass", ">second");
    await server.command("CLIENT", "KILL", "USER", "app");
    await expect
      .poll(() => tier.health().reason, { timeout: 30_000 })
      .toMatch(/refuses the user or password/);
    writeFileSync(passwordFile, "second\n");
    await answersAgain(tier);
    expect(await eventually(() => versionAt(tier, refOf("a")))).toBe(1);
    folder.remove();
  });
});
