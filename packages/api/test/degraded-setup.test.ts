import { spawn } from "node:child_process";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { freePort, startRedis } from "@cherry-ai/services";
import type { RedisOptions, RedisServer } from "@cherry-ai/services";
import {
  describeWithPostgresAndRedis,
  describeWithRedisTls,
  testDatabase,
} from "@cherry-ai/services/vitest";
import { beforeAll, expect, onTestFinished, test } from "vitest";
import { expectNamed, expectPromisesKept, stateOf } from "./degraded.ts";
import type { Call } from "./degraded.ts";
import { caller } from "./server.ts";

const MAIN = new URL("../src/cli/main.ts", import.meta.url).pathname;
const START = { timeout: 60_000 };
const COMMANDS =
  "+get +mget +getrange +set +setrange +del +pttl +pexpire +time +eval +evalsha +scan +publish +subscribe +unsubscribe +info";

let database: string;
beforeAll(async () => {
  database = await testDatabase();
});

interface Served {
  readonly call: Call;
  /** All that it has said. */
  said(): string;
  readonly ended: Promise<number | null>;
}

/** `cherry-memory serve` in a process of its own. */
async function serve(redisUrl: string): Promise<Served> {
  const port = await freePort();
  const child = spawn(process.execPath, ["--conditions=@cherry-ai/source", MAIN, "serve"], {
    env: {
      PATH: process.env["PATH"] ?? "",
      LOG_LEVEL: "info",
      PORT: String(port),
      DATABASE_URL: database,
      REDIS_URL: redisUrl,
    },
  });
  let said = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (data) => (said += String(data)));
  const ended = new Promise<number | null>((resolve) => child.on("close", resolve));
  onTestFinished(async () => {
    child.kill("SIGKILL");
    await ended;
  });
  return { call: caller(`http://127.0.0.1:${port}`), said: () => said, ended };
}

/** A Redis for one test. */
async function redis(options: RedisOptions = {}): Promise<RedisServer> {
  const server = await startRedis(options);
  onTestFinished(() => server.remove());
  return server;
}

async function started(redisUrl: string): Promise<Served> {
  const served = await serve(redisUrl);
  await expect
    .poll(async () => (await served.call("GET", "/readyz").catch(() => undefined))?.status, START)
    .toBe(200);
  return served;
}

async function expectRemedy(redisUrl: string, remedy: RegExp, secret = "no-secret"): Promise<void> {
  const { call, said } = await started(redisUrl);
  await expectNamed(call, "l2", remedy);
  const shown = [(await call("GET", "/readyz")).text, (await call("GET", "/metrics")).text, said()];
  expect(shown.join("\n")).not.toContain(secret);
}

/** Answers INFO with an old version, and everything else with an error. */
async function oldRedis(): Promise<string> {
  const info = "# Server\r\nredis_version:5.0.14\r\n";
  const server = createServer((socket) => {
    socket.on("error", () => {});
    socket.on("data", (data) => {
      const isInfo = /info/i.test(data.toString());
      socket.write(isInfo ? `$${info.length}\r\n${info}\r\n` : "-ERR unknown command\r\n");
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  return `redis://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describeWithPostgresAndRedis("cherry-memory serve names what is wrong with its Redis", () => {
  test("a wrong password, which it never repeats; durable items are served all the same", async () => {
    const server = await redis({ settings: { requirepass: "hunter2" } });
    const url = `redis://:hunter3@127.0.0.1:${server.port}`;
    const { call, said } = await started(url);
    await expectNamed(call, "l2", /refuses the user or password; correct REDIS_URL or REDIS_PASS/);
    expect(`${(await call("GET", "/readyz")).text}${said()}`).not.toContain("hunter3");
    await expectPromisesKept(call, call);
  });

  test("a password that is wanted and not given", async () => {
    const server = await redis({ settings: { requirepass: "hunter2" } });
    await expectRemedy(`redis://127.0.0.1:${server.port}`, /wants a password and none is given/);
  });

  test("a user whose ACL lacks a command", async () => {
    const rules = `on >secret-word ~cherry:* &cherry:* ${COMMANDS.replace("+evalsha ", "")}`;
    const server = await redis({ aclUsers: { app: rules } });
    const url = server.url.replace("://", "://app:secret-word@");
    await expectRemedy(url, /refuses the user the command evalsha; add \+evalsha/, "secret-word");
  });

  test("a version that is too old", async () => {
    await expectRemedy(await oldRedis(), /version 5\.0\.14; Redis 6\.2 or later/);
  });

  test("a node of a cluster that is reached as a single server", async () => {
    const server = await redis({ settings: { "cluster-enabled": "yes" } });
    await expectRemedy(server.url, /node of a cluster; write redis-cluster:/);
  });

  test("a policy that evicts ephemeral items: it works, and says what to change", async () => {
    const settings = { maxmemory: "50mb", "maxmemory-policy": "allkeys-lru" };
    const server = await redis({ settings });
    const { call } = await started(server.url);
    await expect
      .poll(() => stateOf(call, "l2"), START)
      .toMatchObject({
        status: "ready",
        warning: expect.stringMatching(/allkeys-lru may evict.*set volatile-lru or noeviction/),
      });
    expect((await call("GET", "/health")).status).toBe(200);
  });

  test("a URL that cannot be read ends it at once, without repeating it", async () => {
    const { ended, said } = await serve("redis:/:hunter3@cache");
    expect(await ended).toBe(2);
    expect(said()).toMatch(/REDIS_URL|tiers\.L2\.url/);
    expect(said()).not.toContain("hunter3");
  });

  describeWithRedisTls("TLS on one side alone", () => {
    test("the server's", async () => {
      const server = await redis({ tls: true });
      const plain = server.url.replace("rediss:", "redis:");
      await expectRemedy(plain, /speaks TLS and the URL does not; write rediss:/);
    });

    test("the URL's", async () => {
      const server = await redis();
      const url = server.url.replace("redis:", "rediss:");
      await expectRemedy(url, /does not speak TLS and the URL does; write redis:/);
    });
  });
});
