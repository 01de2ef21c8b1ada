import { startRedis } from "@cherry-ai/services";
import type { RedisServer } from "@cherry-ai/services";
import { between, pickServer } from "./fault.ts";
import type { Fault, FaultContext } from "./fault.ts";

/** Without Redis all is slower, and right: this share of requests may fail. */
const SERVED = 0.02;
const DELAY_MS_MAX = 300;
const STALL_MS = 2500;
const REPLICA_READY_MS = 5000;

function redisOf({ stage }: FaultContext): RedisServer {
  if (stage.redis === undefined) throw new Error("there is no Redis");
  return stage.redis;
}

function redisFault(
  name: string,
  about: string,
  strike: (context: FaultContext, redis: RedisServer) => Promise<unknown>,
): Fault {
  return {
    name,
    about,
    needsRedis: true,
    failedShareMax: SERVED,
    strike: async (context) => {
      await strike(context, redisOf(context));
    },
  };
}

const killBus = redisFault("killBus", "CLIENT KILL TYPE pubsub", (_, redis) =>
  redis.command("CLIENT", "KILL", "TYPE", "pubsub"),
);

const killClients = redisFault("killClients", "CLIENT KILL TYPE normal", (_, redis) =>
  redis.command("CLIENT", "KILL", "TYPE", "normal"),
);

const flushRedis = redisFault("flushRedis", "FLUSHALL", (_, redis) => redis.command("FLUSHALL"));

const stallRedis = redisFault(
  "stallRedis",
  "Redis stands still for 2.5 s, then does what it was told",
  async ({ sleep }, redis) => {
    redis.pause();
    await sleep(STALL_MS);
    redis.resume();
  },
);

const restartRedis = redisFault(
  "restartRedis",
  "Redis crashes and comes back empty",
  async ({ sleep }, redis) => {
    await redis.kill();
    await sleep(1000);
    await redis.start();
  },
);

const delayRedis = redisFault(
  "delayRedis",
  "each piece to and from Redis is held back by up to 300 ms",
  async ({ stage, random, sleep }) => {
    for (const proxy of stage.redisProxies) proxy.delay = () => between(random, 0, DELAY_MS_MAX);
    await sleep(STALL_MS);
    for (const proxy of stage.redisProxies) proxy.delay = undefined;
  },
);

const halfOpenRedis = redisFault(
  "halfOpenRedis",
  "one server's connections to Redis stay open, and one direction or both are silent",
  async (context) => {
    const proxy = context.stage.redisProxies[pickServer(context).index];
    const ways = ["up", "down", undefined] as const;
    proxy?.stall(ways[Math.floor(context.random() * ways.length)]);
    await context.sleep(STALL_MS);
    proxy?.resume();
  },
);

/** The replica lags behind what the master acknowledged: what it lacks is gone. */
const failOver = redisFault(
  "failOver",
  "a replica that lags is promoted, and the address moves to it",
  async ({ stage, sleep }, redis) => {
    // Told so rather than configured: when it starts again after its promotion it must not follow.
    const replica = await startRedis();
    await replica.command("REPLICAOF", "127.0.0.1", redis.port);
    const until = performance.now() + REPLICA_READY_MS;
    while (performance.now() < until) {
      const info = String(await replica.command("INFO", "replication"));
      if (info.includes("master_link_status:up")) break;
      await sleep(50);
    }
    replica.pause();
    await sleep(300);
    await redis.kill();
    replica.resume();
    await replica.command("REPLICAOF", "NO", "ONE");
    stage.redis = replica;
    for (const proxy of stage.redisProxies) {
      proxy.retarget(replica.port);
      proxy.cut();
    }
    await redis.remove();
    await sleep(500);
  },
);

export const REDIS_FAULTS: readonly Fault[] = [
  killBus,
  killClients,
  flushRedis,
  stallRedis,
  restartRedis,
  delayRedis,
  halfOpenRedis,
  failOver,
];
