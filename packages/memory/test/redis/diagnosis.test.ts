import { createServer } from "node:net";
import type { AddressInfo, Server } from "node:net";
import { afterEach, expect, test } from "vitest";
import { startRedis } from "@cherry-ai/services";
import type { RedisOptions, RedisServer } from "@cherry-ai/services";
import { describeWithRedis, describeWithRedisTls } from "@cherry-ai/services/vitest";
import { expectCode } from "../../src/testing/expect-code.ts";
import type { RedisTier } from "../../src/tiers/redis/redis-tier.ts";
import { RedisTier as Tier } from "../../src/tiers/redis/redis-tier.ts";
import { systemClock, systemRandom } from "../../src/model/clock.ts";
import { fillAt, refOf, settleAt, versionAt } from "../../src/testing/shared-suite/fixture.ts";
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

/** What is needed, as the reference of REDIS_URL lists it. */
const COMMANDS =
  "+get +mget +getrange +set +setrange +del +pttl +pexpire +time +eval +evalsha +scan +publish +subscribe +unsubscribe +info".split(
    " ",
  );
const RULES = `on >secret ~cherry:* &cherry:* ${COMMANDS.join(" ")}`;

function asUser(server: RedisServer): string {
  return server.url.replace("://", "://app:secret@");
}

/** The reason is given by the tier's health and by the error of a call. */
async function expectReason(tier: RedisTier, reason: RegExp): Promise<void> {
  await expect.poll(() => tier.health().reason, { timeout: 20_000 }).toMatch(reason);
  expect(tier.health().status).toBe("degraded");
  const error = await expectCode("STORE_UNAVAILABLE", () => tier.findMany([refOf("a")]));
  expect(error.message).toMatch(reason);
}

describeWithRedis("what is wrong with a Redis is named with its remedy", () => {
  test("a password where none is given, and a wrong one, which is not repeated", async () => {
    const server = await redis({ settings: { requirepass: "hunter2" } });
    const bare = `redis://127.0.0.1:${server.port}`;
    await expectReason(await openTier(bare), /wants a password.*REDIS_PASSWORD_FILE/);
    const wrong = await openTier(`redis://:hunter3@127.0.0.1:${server.port}`);
    await expectReason(wrong, /refuses the user or password.*REDIS_PASSWORD_FILE/);
    expect(wrong.health().reason).not.toContain("hunter3");
  });

  test("a user with exactly the listed rights can do everything", async () => {
    const server = await redis({ aclUsers: { app: RULES } });
    const tier = await openTier(asUser(server));
    await expect.poll(() => tier.health()).toEqual({ status: "ready" });
    expect(await fillAt(tier, refOf("a"), 1)).toBe(true);
    expect(await versionAt(tier, refOf("a"))).toBe(1);
    expect(await settleAt(tier, refOf("a"), 2)).toBe("marked");
    await tier.announce(undefined);
    expect(await tier.removeEphemeralWhere({ namespace: "", below: true }, () => true)).toBe(0);
  });

  test.each(COMMANDS.filter((each) => !/info|subscribe/.test(each)))(
    "a user without %s",
    async (command) => {
      const rules = RULES.replace(`${command} `, "");
      const server = await redis({ aclUsers: { app: rules } });
      await expectReason(
        await openTier(asUser(server)),
        new RegExp(`refuses the user the command ${command.slice(1)}; add \\${command}`),
      );
    },
  );

  test("a user who may not ask for INFO loses nothing, one who may not subscribe only the bus", async () => {
    const rules = RULES.replace(" +info", "").replace("+subscribe ", "");
    const server = await redis({ aclUsers: { app: rules } });
    const quiet = await openTier(asUser(server), { bus: false });
    expect(quiet.health()).toEqual({ status: "ready" });
    const deaf = await openTier(asUser(server));
    await expect.poll(() => deaf.health().reason).toMatch(/bus cannot be heard.*\+subscribe/);
    expect(await fillAt(deaf, refOf("a"), 1)).toBe(true);
  });

  test("a user with other keys or channels", async () => {
    const keys = await redis({ aclUsers: { app: RULES.replace("~cherry:*", "~other:*") } });
    await expectReason(await openTier(asUser(keys)), /ACL refuses the user our keys; add ~PREFIX/);
    const channels = await redis({ aclUsers: { app: RULES.replace("&cherry:*", "&other:*") } });
    await expectReason(await openTier(asUser(channels)), /our channel; add &PREFIX/);
  });

  test("rights that come later are seen without a restart", async () => {
    const server = await redis({ aclUsers: { app: RULES.replace("+evalsha ", "") } });
    const tier = await openTier(asUser(server));
    await expectReason(tier, /evalsha/);
    await server.command("ACL", "SETUSER", "app", "+evalsha");
    await expect.poll(() => tier.health().status, { timeout: 20_000 }).toBe("ready");
  });

  test("a node of a cluster, and no cluster", async () => {
    const node = await redis({ settings: { "cluster-enabled": "yes" } });
    await expectReason(await openTier(node.url), /node of a cluster; write redis-cluster:/);
    const single = await redis();
    const url = single.url.replace("redis://", "redis-cluster://");
    await expectReason(await openTier(url), /is no cluster; write redis:/);
  });

  test("a replica", async () => {
    const master = await redis();
    const replica = await redis({ settings: { replicaof: `127.0.0.1 ${master.port}` } });
    await expectReason(
      await openTier(replica.url),
      /read-only replica; point REDIS_URL at the master/,
    );
  });

  test("a host that does not exist", async () => {
    const tier = await openTier("redis://no-such-host.invalid", { startTimeoutMs: 500 });
    await expectReason(tier, /cannot be reached.*(ENOTFOUND|EAI_AGAIN)/);
  });

  test("an eviction policy under ephemeral items is a warning", async () => {
    const server = await redis({
      settings: { maxmemory: "50mb", "maxmemory-policy": "allkeys-lru" },
    });
    const tier = await openTier(server.url);
    await expect.poll(() => tier.health().status).toBe("ready");
    expect(tier.health().warning).toMatch(/allkeys-lru may evict ephemeral items.*volatile-lru/);
  });
});

/** Answers INFO with an old version, and everything else with an error. */
function oldServer(): Promise<Server> {
  const info = "# Server\r\nredis_version:5.0.14\r\n";
  const answer = `$${info.length}\r\n${info}\r\n`;
  const server = createServer((socket) => {
    socket.on("error", () => {});
    socket.on("data", (data) => {
      socket.write(/info/i.test(data.toString()) ? answer : "-ERR unknown command\r\n");
    });
  });
  return new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(server)));
}

test("a Redis that is too old is named with its version", async () => {
  const server = await oldServer();
  const { port } = server.address() as AddressInfo;
  const tier = await openTier(`redis://127.0.0.1:${port}`, { bus: false });
  await expectReason(tier, /version 5\.0\.14; Redis 6\.2 or later/);
  await closeTiers();
  await new Promise((resolve) => server.close(resolve));
});

test("a URL that is wrong is refused before anything is connected to", async () => {
  const make = (url: string): Tier => new Tier({ url, clock: systemClock, random: systemRandom });
  expect(() => make("redis:/cache")).toThrow(/REDIS_URL cannot be read; expected redis:/);
  expect(() => make("rediss://cache?ca=/no/such/file")).toThrow(/"\/no\/such\/file" as ca/);
});

describeWithRedisTls("Redis over TLS", () => {
  const HASTY = { connectTimeoutMs: 500, startTimeoutMs: 5000 };

  test("works with the authority that is named, and says what is wrong without it", async () => {
    const server = await redis({ tls: true });
    const tier = await openTier(`${server.url}?ca=${encodeURIComponent(server.caFile ?? "")}`);
    await expect.poll(() => tier.health().status).toBe("ready");
    expect(await fillAt(tier, refOf("a"), 1)).toBe(true);
    await expectReason(await openTier(server.url), /TLS fails.*certificate/);
  });

  test("a plain URL to a server that speaks TLS", async () => {
    const server = await redis({ tls: true });
    const tier = await openTier(server.url.replace("rediss:", "redis:"), HASTY);
    await expectReason(tier, /speaks TLS and the URL does not; write rediss:/);
  });

  test("a TLS URL to a server that does not speak it", async () => {
    const server = await redis();
    const tier = await openTier(server.url.replace("redis:", "rediss:"), HASTY);
    await expectReason(tier, /does not speak TLS and the URL does; write redis:/);
  });
});
