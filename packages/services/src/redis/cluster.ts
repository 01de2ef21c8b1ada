import { makeCertificates } from "../certificates.ts";
import { freePort } from "../free-port.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import type { TemporaryFolder } from "../temporary-folder.ts";
import { waitUntil } from "../wait.ts";
import type { RedisReply } from "./client.ts";
import { startRedis } from "./server.ts";
import type { RedisOptions, RedisServer } from "./server.ts";

const MASTERS = 3;
const SLOTS = 16_384;
const FORM_TIMEOUT_MS = 60_000;
const START_ATTEMPTS = 3;
/** The bus between the nodes listens at the node's port plus this. */
const BUS_PORT_OFFSET = 10_000;
const PORT_MAX = 65_535;

/** Three masters with a replica each. */
export interface RedisCluster {
  readonly nodes: readonly RedisServer[];
  /** redis-cluster://… of all nodes; with TLS rediss-cluster://…, which names the authority. */
  readonly url: string;
  /** The nodes that are masters now. */
  masters(): Promise<readonly RedisServer[]>;
  /** The master of a key's slot now. */
  masterOf(key: string): Promise<RedisServer>;
  /** Kills a master and waits until its replica has taken its slots. Answers with the new master. */
  failOver(master: RedisServer): Promise<RedisServer>;
  remove(): Promise<void>;
}

function text(reply: RedisReply): string {
  return typeof reply === "string" ? reply : "";
}

async function nodePort(): Promise<number> {
  for (;;) {
    const port = await freePort();
    if (port + BUS_PORT_OFFSET <= PORT_MAX) return port;
  }
}

interface NodeLine {
  readonly port: number;
  readonly id: string;
  readonly flags: readonly string[];
  readonly master: string;
  readonly slots: readonly string[];
}

/** CLUSTER NODES, as one node sees them. */
async function nodeLines(server: RedisServer): Promise<readonly NodeLine[]> {
  const lines = text(await server.command("CLUSTER", "NODES"))
    .trim()
    .split("\n");
  return lines.map((line) => {
    const [id = "", address = "", flags = "", master = "", , , , , ...slots] = line.split(" ");
    const port = Number(/:(\d+)@/.exec(address)?.[1]);
    return { id, port, master, slots, flags: flags.split(",") };
  });
}

class LocalCluster implements RedisCluster {
  readonly nodes: readonly RedisServer[];
  readonly url: string;
  readonly #folder: TemporaryFolder | undefined;
  readonly #dead = new Set<RedisServer>();

  constructor(nodes: readonly RedisServer[], folder: TemporaryFolder | undefined) {
    this.nodes = nodes;
    this.#folder = folder;
    const hosts = nodes.map(({ port }) => `127.0.0.1:${port}`).join(",");
    const caFile = nodes[0]?.caFile;
    this.url =
      caFile === undefined
        ? `redis-cluster://${hosts}`
        : `rediss-cluster://${hosts}?ca=${encodeURIComponent(caFile)}`;
  }

  async form(): Promise<void> {
    const [first] = this.nodes;
    if (first === undefined) throw new Error("a cluster needs nodes");
    for (const node of this.nodes.slice(1))
      await first.command("CLUSTER", "MEET", "127.0.0.1", node.port);
    const share = Math.ceil(SLOTS / MASTERS);
    for (const [index, node] of this.nodes.slice(0, MASTERS).entries()) {
      const last = Math.min(SLOTS, (index + 1) * share) - 1;
      await node.command("CLUSTER", "ADDSLOTSRANGE", index * share, last);
      await node.command("CLUSTER", "SET-CONFIG-EPOCH", index + 1).catch(() => undefined);
    }
    await this.#until("nodes meet", async (node) => {
      return (await nodeLines(node)).length === this.nodes.length;
    });
    for (const [index, replica] of this.nodes.slice(MASTERS).entries()) {
      const master = this.nodes[index % MASTERS] ?? first;
      await replica.command("CLUSTER", "REPLICATE", text(await master.command("CLUSTER", "MYID")));
    }
    await this.#until("replicas follow", async (node) => {
      const replicas = (await nodeLines(node)).filter(({ flags }) => flags.includes("slave"));
      return replicas.length === this.nodes.length - MASTERS && (await this.#isSound(node));
    });
    await this.#until("replicas are linked", async (node) => {
      const info = text(await node.command("INFO", "replication"));
      return !info.includes("role:slave") || info.includes("master_link_status:up");
    });
  }

  async masters(): Promise<readonly RedisServer[]> {
    const lines = await nodeLines(this.#living());
    const ports = new Set(
      lines
        .filter(
          ({ flags, slots }) =>
            flags.includes("master") && !flags.includes("fail") && slots.length > 0,
        )
        .map(({ port }) => port),
    );
    return this.nodes.filter((node) => ports.has(node.port) && !this.#dead.has(node));
  }

  async masterOf(key: string): Promise<RedisServer> {
    const slot = Number(await this.#living().command("CLUSTER", "KEYSLOT", key));
    const lines = await nodeLines(this.#living());
    const owner = lines.find(({ slots }) =>
      slots.some((range) => {
        const [from, to = from] = range.split("-").map(Number);
        return from !== undefined && to !== undefined && from <= slot && slot <= to;
      }),
    );
    const node = this.nodes.find(({ port }) => port === owner?.port);
    if (node === undefined) throw new Error(`no node owns slot ${slot}`);
    return node;
  }

  async failOver(master: RedisServer): Promise<RedisServer> {
    const before = await nodeLines(master);
    const id = before.find(({ flags }) => flags.includes("myself"))?.id;
    const heirs = before.filter((line) => line.master === id).map(({ port }) => port);
    this.#dead.add(master);
    await master.kill();
    let heir: RedisServer | undefined;
    await this.#until("a replica takes over", async () => {
      heir = (await this.masters()).find(({ port }) => heirs.includes(port));
      return heir !== undefined;
    });
    await this.#until("the cluster is sound", (node) => this.#isSound(node));
    if (heir === undefined) throw new Error("no replica took over");
    return heir;
  }

  async remove(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.remove()));
    this.#folder?.remove();
  }

  #living(): RedisServer {
    const node = this.nodes.find((each) => !this.#dead.has(each));
    if (node === undefined) throw new Error("no node is alive");
    return node;
  }

  async #isSound(node: RedisServer): Promise<boolean> {
    return text(await node.command("CLUSTER", "INFO")).includes("cluster_state:ok");
  }

  async #until(what: string, holds: (node: RedisServer) => Promise<boolean>): Promise<void> {
    const living = this.nodes.filter((node) => !this.#dead.has(node));
    const options = {
      timeoutMs: FORM_TIMEOUT_MS,
      describe: () => `the cluster: ${what}: it did not`,
    };
    for (const node of living) await waitUntil(() => holds(node), options);
  }
}

/** Starts three masters with a replica each, which fail over within about two seconds. */
export async function startRedisCluster(options: RedisOptions = {}): Promise<RedisCluster> {
  const settings = {
    "cluster-enabled": "yes",
    "cluster-node-timeout": "1000",
    "cluster-replica-validity-factor": "0",
    ...(options.tls === undefined ? {} : { "tls-cluster": "yes" }),
    ...options.settings,
  };
  for (let attempt = 1; ; attempt += 1) {
    const nodes: RedisServer[] = [];
    const folder = options.tls === true ? temporaryFolder("certificates") : undefined;
    // One authority for all: they speak with each other too.
    const tls = folder && makeCertificates(folder.path);
    const all = { ...options, settings, ...(tls === undefined ? {} : { tls }) };
    try {
      for (let index = 0; index < 2 * MASTERS; index += 1)
        nodes.push(await startRedis({ ...all, port: await nodePort() }));
      const cluster = new LocalCluster(nodes, folder);
      await cluster.form();
      return cluster;
    } catch (error) {
      await Promise.all(nodes.map((node) => node.remove()));
      folder?.remove();
      if (attempt === START_ATTEMPTS) throw error;
    }
  }
}
