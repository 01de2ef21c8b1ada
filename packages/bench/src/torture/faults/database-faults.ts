import type { Random } from "@cherry-ai/memory";
import type { Proxy, ProxyDirection } from "@cherry-ai/services";
import { query } from "../database.ts";
import { between, pickServer } from "./fault.ts";
import type { Fault, FaultContext } from "./fault.ts";

const DELAY_MS_MAX = 300;
const DELAYED_MS = 2500;
const HALF_OPEN_MS = 2500;
/** A statement of the command phase in a hundred. */
const FAILING_SHARE = 0.02;

/** Pieces are held back by as much as `delayMs` says, for `lastsMs`. */
export function delayPostgresBy(
  delayMs: (direction: ProxyDirection, random: Random, serverIndex: number) => number,
  lastsMs: number,
): Fault {
  return {
    name: "delayPostgres",
    about:
      "what goes to and comes from PostgreSQL is held back by up to 300 ms, each piece differently",
    needsRedis: false,
    strike: async ({ stage, random, sleep }) => {
      for (const [index, proxy] of stage.databaseProxies.entries())
        proxy.delay = (direction) => delayMs(direction, random, index);
      await sleep(lastsMs);
      for (const proxy of stage.databaseProxies) proxy.delay = undefined;
    },
  };
}

function proxyOf(context: FaultContext, proxies: readonly Proxy[]): Proxy {
  const proxy = proxies[pickServer(context).index];
  if (proxy === undefined) throw new Error("there is no proxy");
  return proxy;
}

const halfOpenPostgres: Fault = {
  name: "halfOpenPostgres",
  about: "one server's connections to PostgreSQL stay open, and one direction or both are silent",
  needsRedis: false,
  strike: async (context) => {
    const proxy = proxyOf(context, context.stage.databaseProxies);
    const ways = ["up", "down", undefined] as const;
    proxy.stall(ways[Math.floor(context.random() * ways.length)]);
    await context.sleep(HALF_OPEN_MS);
    proxy.resume();
  },
};

const killPgSessions: Fault = {
  name: "killPgSessions",
  about: "pg_terminate_backend for every session",
  needsRedis: false,
  strike: async ({ stage, sleep }) => {
    await query(
      stage.databaseUrl,
      `SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
       WHERE datname = current_database() AND pid <> pg_backend_pid()`,
    );
    await sleep(500);
  },
};

const restartPostgres: Fault = {
  name: "restartPostgres",
  about: "PostgreSQL crashes (SIGKILL) or is shut down, and comes back",
  needsRedis: false,
  strike: async ({ stage, random, sleep }) => {
    if (random() < 0.5) await stage.postgres.kill();
    else await stage.postgres.stop();
    await sleep(between(random, 0, 1500));
    await stage.postgres.start();
  },
};

const failCommands: Fault = {
  name: "failCommands",
  about: "single commands to PostgreSQL and Redis are lost, before or after they were carried out",
  needsRedis: false,
  strike: async ({ stage, random, sleep }) => {
    const proxies = [...stage.databaseProxies, ...stage.redisProxies];
    for (const proxy of proxies)
      proxy.onData = (direction) => {
        if (direction === "down" || random() >= FAILING_SHARE) return "pass";
        return random() < 0.5 ? "cut" : "cut-after";
      };
    await sleep(1500);
    for (const proxy of proxies) proxy.onData = undefined;
  },
};

const TRIM_ROWS = 1_000_000;

const logTrim: Fault = {
  name: "logTrim",
  about: "a server sleeps while the change log is trimmed of all that it has not read",
  needsRedis: false,
  strike: async (context) => {
    const server = pickServer(context);
    server.isAway = true;
    // So that it has copies of what the others change.
    await context.readEverything(server);
    server.pause();
    await context.sleep(context.boundMs);
    // As the product's own sweep does it, with no row too young to go.
    await query(
      context.stage.databaseUrl,
      `SELECT cherry.trim_changes(${TRIM_ROWS}, 0, 0, (SELECT value::bigint FROM cherry.meta WHERE name = 'settled_id'))`,
    );
    server.resume();
    // Reads before it has followed the log again would ask the database, and bring all up to date.
    await context.sleep(context.boundMs);
    await context.readEverything(server);
    server.isAway = false;
  },
};

export const DATABASE_FAULTS: readonly Fault[] = [
  delayPostgresBy((_, random) => between(random, 0, DELAY_MS_MAX), DELAYED_MS),
  halfOpenPostgres,
  killPgSessions,
  restartPostgres,
  failCommands,
  logTrim,
];
