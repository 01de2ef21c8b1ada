import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import {
  describeWithPostgres,
  describeWithPostgresAndRedis,
  testDatabase,
} from "@cherry-ai/services/vitest";
import { startRedis } from "@cherry-ai/services";
import type { RedisServer } from "@cherry-ai/services";
import type { PartialConfig } from "../src/config/resolve.ts";
import type { LoadOptions } from "../src/manager/memory.ts";
import { LoaderServer } from "./support/loader-servers.ts";
import { QUIET } from "./support/managers.ts";

const PROCESSES = 3;
const CALLERS = 20;
/** So long that the slowest process has asked before it ends. */
const LOAD_MS = 1_000;
const TIMEOUT_MS = 120_000;
/** A busy machine must not look like a Redis that hangs. */
const PATIENT_MS = 20_000;

const started: LoaderServer[] = [];

afterEach(async () => {
  for (const server of started.splice(0)) await server.kill();
});

async function start(config: PartialConfig, count: number): Promise<LoaderServer[]> {
  const servers = Array.from({ length: count }, () => new LoaderServer({ ...QUIET, ...config }));
  started.push(...servers);
  await Promise.all(servers.map((server) => server.heard("ready")));
  return servers;
}

function loadsOf(servers: readonly LoaderServer[]): number {
  return servers.reduce((sum, { loads }) => sum + loads, 0);
}

async function oneCall(config: PartialConfig, options: LoadOptions = {}): Promise<void> {
  const servers = await start(config, PROCESSES);
  for (const [n, server] of servers.entries())
    server.order({ key: "k", value: `of ${n}`, callers: CALLERS, loadMs: LOAD_MS, options });
  const values = (await Promise.all(servers.map((server) => server.values()))).flat();
  expect(values).toHaveLength(PROCESSES * CALLERS);
  expect(new Set(values).size).toBe(1);
  expect(loadsOf(servers)).toBe(1);
}

async function takeOver(config: PartialConfig): Promise<void> {
  const [dying, next] = await start(config, 2);
  if (dying === undefined || next === undefined) throw new Error("no servers");
  dying.order({ key: "k", value: "of the dead", callers: 1, options: { leaseSeconds: 1 } });
  await dying.heard("load");
  next.order({ key: "k", value: "of the next", callers: CALLERS, loadMs: 1 });
  await dying.kill();
  expect(new Set(await next.values())).toEqual(new Set(["of the next"]));
  expect(next.loads).toBe(1);
}

describeWithPostgres("loaders of processes over one PostgreSQL", () => {
  const config = async (): Promise<PartialConfig> => ({
    tiers: { L3: { url: await testDatabase() } },
  });

  test(
    `${PROCESSES} processes with ${CALLERS} callers each call one loader once`,
    async () => oneCall(await config()),
    TIMEOUT_MS,
  );

  test(
    "when a process is killed while it loads, another loads",
    async () => takeOver(await config()),
    TIMEOUT_MS,
  );
});

describeWithPostgresAndRedis("loaders of processes over PostgreSQL and Redis", () => {
  let redis: RedisServer;
  beforeAll(async () => {
    redis = await startRedis();
  });
  afterAll(() => redis?.remove());

  test.each([
    ["durable", {}],
    ["ephemeral", { durability: "ephemeral", ttlSeconds: 600 }],
  ] as const)(
    `${PROCESSES} processes with ${CALLERS} callers each call one loader of a %s item once`,
    async (_, options) => {
      const L3 = { url: await testDatabase() };
      await oneCall(
        { tiers: { L2: { enabled: true, url: redis.url, commandTimeoutMs: PATIENT_MS }, L3 } },
        options,
      );
    },
    TIMEOUT_MS,
  );
});
