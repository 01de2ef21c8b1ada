import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { freePort } from "../free-port.ts";
import { ServerProcess } from "../server-process.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import type { TemporaryFolder } from "../temporary-folder.ts";
import { waitUntil } from "../wait.ts";
import { findRedis, redisAvailable } from "./binaries.ts";
import { answers, sendOnce } from "./client.ts";
import { startRedis } from "./server.ts";
import type { RedisServer } from "./server.ts";

const SENTINELS = 3;
const QUORUM = 2;
const MASTER_NAME = "cherry";
const AGREE_TIMEOUT_MS = 60_000;

export interface SentinelOptions {
  readonly replicas?: 1 | 2;
}

/** A master, its replicas and three sentinels that fail over within about two seconds. */
export interface RedisSentinel {
  /** redis-sentinel://…/cherry. */
  readonly url: string;
  /** The server that is the master now, as the sentinels say. */
  master(): Promise<RedisServer>;
  /** Kills the master and waits until the sentinels name another, which then is one. */
  failOver(): Promise<RedisServer>;
  /** All servers of data, dead ones too. */
  readonly nodes: readonly RedisServer[];
  remove(): Promise<void>;
}

interface SentinelProcess {
  readonly port: number;
  readonly process: ServerProcess;
  readonly folder: TemporaryFolder;
}

function configuration(port: number, masterPort: number): string {
  return [
    "bind 127.0.0.1",
    `port ${port}`,
    "daemonize no",
    `sentinel monitor ${MASTER_NAME} 127.0.0.1 ${masterPort} ${QUORUM}`,
    `sentinel down-after-milliseconds ${MASTER_NAME} 500`,
    `sentinel failover-timeout ${MASTER_NAME} 4000`,
    `sentinel parallel-syncs ${MASTER_NAME} 2`,
    "",
  ].join("\n");
}

async function startSentinel(program: string, masterPort: number): Promise<SentinelProcess> {
  const port = await freePort();
  const folder = temporaryFolder("sentinel");
  const file = join(folder.path, "sentinel.conf");
  writeFileSync(file, configuration(port, masterPort));
  const ready = (): Promise<boolean> => answers({ port });
  const args = [file, "--sentinel"];
  const process = new ServerProcess({ program, args, folder: folder.path, ready });
  await process.start();
  return { port, process, folder };
}

class LocalSentinel implements RedisSentinel {
  readonly nodes: readonly RedisServer[];
  readonly url: string;
  readonly #sentinels: readonly SentinelProcess[];

  constructor(nodes: readonly RedisServer[], sentinels: readonly SentinelProcess[]) {
    this.nodes = nodes;
    this.#sentinels = sentinels;
    const hosts = sentinels.map(({ port }) => `127.0.0.1:${port}`).join(",");
    this.url = `redis-sentinel://${hosts}/${MASTER_NAME}`;
  }

  /** Until every sentinel knows the others and all replicas: before that none would fail over. */
  async agree(): Promise<void> {
    const count = async (port: number, what: string): Promise<number> => {
      const reply = await sendOnce({ port }, ["SENTINEL", what, MASTER_NAME]);
      return Array.isArray(reply) ? reply.length : 0;
    };
    for (const { port } of this.#sentinels)
      await waitUntil(
        async () =>
          (await count(port, "SENTINELS")) === SENTINELS - 1 &&
          (await count(port, "REPLICAS")) === this.nodes.length - 1,
        { timeoutMs: AGREE_TIMEOUT_MS, describe: () => "the sentinels did not find each other" },
      );
  }

  async master(): Promise<RedisServer> {
    const port = await this.#masterPort(0);
    const node = this.nodes.find((each) => each.port === port);
    if (node === undefined)
      throw new Error(`the sentinels name port ${port}, which is none of ours`);
    return node;
  }

  async failOver(): Promise<RedisServer> {
    const old = await this.master();
    await old.kill();
    const options = { timeoutMs: AGREE_TIMEOUT_MS, describe: () => "the sentinels named no other" };
    for (const index of this.#sentinels.keys())
      await waitUntil(async () => (await this.#masterPort(index)) !== old.port, options);
    const next = await this.master();
    await waitUntil(async () => {
      const role = await next.command("ROLE").catch(() => []);
      return Array.isArray(role) && role[0] === "master";
    }, options);
    return next;
  }

  async remove(): Promise<void> {
    await Promise.all(
      this.#sentinels.map(async ({ process, folder }) => {
        await process.kill();
        folder.remove();
      }),
    );
    await Promise.all(this.nodes.map((node) => node.remove()));
  }

  async #masterPort(index: number): Promise<number> {
    const sentinel = this.#sentinels[index];
    const ask = ["SENTINEL", "GET-MASTER-ADDR-BY-NAME", MASTER_NAME] as const;
    const reply = await sendOnce({ port: sentinel?.port ?? 0 }, ask);
    return Array.isArray(reply) ? Number(reply[1]) : Number.NaN;
  }
}

/** Starts a master, one or two replicas and three sentinels. */
export async function startRedisSentinel(options: SentinelOptions = {}): Promise<RedisSentinel> {
  const program = findRedis();
  if (program === undefined) throw new Error(redisAvailable());
  const nodes: RedisServer[] = [];
  const sentinels: SentinelProcess[] = [];
  const made = new LocalSentinel(nodes, sentinels);
  try {
    const master = await startRedis();
    nodes.push(master);
    for (let index = 0; index < (options.replicas ?? 1); index += 1) {
      const settings = { replicaof: `127.0.0.1 ${master.port}` };
      nodes.push(await startRedis({ settings }));
    }
    for (let index = 0; index < SENTINELS; index += 1)
      sentinels.push(await startSentinel(program, master.port));
    const complete = new LocalSentinel(nodes, sentinels);
    await complete.agree();
    return complete;
  } catch (error) {
    await made.remove();
    throw error;
  }
}
