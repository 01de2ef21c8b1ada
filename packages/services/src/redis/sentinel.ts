import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { makeCertificates } from "../certificates.ts";
import type { Certificates } from "../certificates.ts";
import { freePort } from "../free-port.ts";
import { ServerProcess } from "../server-process.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import type { TemporaryFolder } from "../temporary-folder.ts";
import { waitUntil } from "../wait.ts";
import { findRedis, redisAvailable } from "./binaries.ts";
import { answers, sendOnce } from "./client.ts";
import type { ClientOptions } from "./client.ts";
import { startRedis } from "./server.ts";
import type { RedisServer } from "./server.ts";

const SENTINELS = 3;
const QUORUM = 2;
const MASTER_NAME = "cherry";
const AGREE_TIMEOUT_MS = 60_000;

export interface SentinelOptions {
  readonly replicas?: 1 | 2;
  /** Servers and sentinels speak TLS alone. */
  readonly tls?: boolean;
}

/** A master, its replicas and three sentinels that fail over within about two seconds. */
export interface RedisSentinel {
  /** redis-sentinel://…/cherry; with TLS rediss-sentinel://…, which names the authority. */
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
  readonly client: ClientOptions;
  readonly process: ServerProcess;
  readonly folder: TemporaryFolder;
}

function configuration(port: number, masterPort: number, tls: Certificates | undefined): string {
  const ports =
    tls === undefined
      ? [`port ${port}`]
      : [
          "port 0",
          `tls-port ${port}`,
          `tls-cert-file ${tls.cert}`,
          `tls-key-file ${tls.key}`,
          `tls-ca-cert-file ${tls.ca}`,
          "tls-auth-clients no",
          "tls-replication yes",
        ];
  return [
    "bind 127.0.0.1",
    ...ports,
    "daemonize no",
    `sentinel monitor ${MASTER_NAME} 127.0.0.1 ${masterPort} ${QUORUM}`,
    `sentinel down-after-milliseconds ${MASTER_NAME} 500`,
    `sentinel failover-timeout ${MASTER_NAME} 4000`,
    `sentinel parallel-syncs ${MASTER_NAME} 2`,
    "",
  ].join("\n");
}

async function startSentinel(
  program: string,
  masterPort: number,
  tls: Certificates | undefined,
): Promise<SentinelProcess> {
  const port = await freePort();
  const folder = temporaryFolder("sentinel");
  const file = join(folder.path, "sentinel.conf");
  writeFileSync(file, configuration(port, masterPort, tls));
  const client = { port, ...(tls === undefined ? {} : { tls: { ca: readFileSync(tls.ca) } }) };
  const ready = (): Promise<boolean> => answers(client);
  const args = [file, "--sentinel"];
  const process = new ServerProcess({ program, args, folder: folder.path, ready });
  await process.start();
  return { client, process, folder };
}

class LocalSentinel implements RedisSentinel {
  readonly nodes: readonly RedisServer[];
  readonly url: string;
  readonly #sentinels: readonly SentinelProcess[];

  readonly #folder: TemporaryFolder | undefined;

  constructor(
    nodes: readonly RedisServer[],
    sentinels: readonly SentinelProcess[],
    folder: TemporaryFolder | undefined,
  ) {
    this.nodes = nodes;
    this.#sentinels = sentinels;
    this.#folder = folder;
    const hosts = sentinels.map(({ client }) => `127.0.0.1:${client.port}`).join(",");
    const caFile = nodes[0]?.caFile;
    this.url =
      caFile === undefined
        ? `redis-sentinel://${hosts}/${MASTER_NAME}`
        : `rediss-sentinel://${hosts}/${MASTER_NAME}?ca=${encodeURIComponent(caFile)}`;
  }

  /** Until every sentinel knows the others and all replicas: before that none would fail over. */
  async agree(): Promise<void> {
    const count = async (client: ClientOptions, what: string): Promise<number> => {
      const reply = await sendOnce(client, ["SENTINEL", what, MASTER_NAME]);
      return Array.isArray(reply) ? reply.length : 0;
    };
    for (const { client } of this.#sentinels)
      await waitUntil(
        async () =>
          (await count(client, "SENTINELS")) === SENTINELS - 1 &&
          (await count(client, "REPLICAS")) === this.nodes.length - 1,
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
    this.#folder?.remove();
  }

  async #masterPort(index: number): Promise<number> {
    const sentinel = this.#sentinels[index];
    const ask = ["SENTINEL", "GET-MASTER-ADDR-BY-NAME", MASTER_NAME] as const;
    if (sentinel === undefined) return Number.NaN;
    const reply = await sendOnce(sentinel.client, ask);
    return Array.isArray(reply) ? Number(reply[1]) : Number.NaN;
  }
}

/** Starts a master, one or two replicas and three sentinels. */
export async function startRedisSentinel(options: SentinelOptions = {}): Promise<RedisSentinel> {
  const program = findRedis();
  if (program === undefined) throw new Error(redisAvailable());
  const nodes: RedisServer[] = [];
  const sentinels: SentinelProcess[] = [];
  const folder = options.tls === true ? temporaryFolder("certificates") : undefined;
  const certificates = folder && makeCertificates(folder.path);
  const tls = certificates === undefined ? {} : { tls: certificates };
  const made = new LocalSentinel(nodes, sentinels, folder);
  try {
    const master = await startRedis(tls);
    nodes.push(master);
    for (let index = 0; index < (options.replicas ?? 1); index += 1) {
      const settings = { replicaof: `127.0.0.1 ${master.port}` };
      nodes.push(await startRedis({ ...tls, settings }));
    }
    for (let index = 0; index < SENTINELS; index += 1)
      sentinels.push(await startSentinel(program, master.port, certificates));
    const complete = new LocalSentinel(nodes, sentinels, folder);
    await complete.agree();
    return complete;
  } catch (error) {
    await made.remove();
    throw error;
  }
}
