import { waitUntil } from "../wait.ts";
import { freePorts } from "./configuration.ts";
import type { WeaviatePorts } from "./configuration.ts";
import { prepareNode } from "./server.ts";
import type { WeaviateOptions, WeaviateServer } from "./server.ts";

const NODES = 3;
const FORM_TIMEOUT_MS = 60_000;
const START_ATTEMPTS = 3;

/** Three nodes that know each other; a majority of them decides on collections. */
export interface WeaviateCluster {
  readonly nodes: readonly WeaviateServer[];
  /** Names of the nodes that this one sees healthy. */
  healthy(node: WeaviateServer): Promise<readonly string[]>;
  /** Waits until this one sees so many healthy nodes. */
  untilHealthy(node: WeaviateServer, count: number): Promise<void>;
  remove(): Promise<void>;
}

/** What of GET /v1/nodes is read here. */
function healthyNames(body: unknown): readonly string[] {
  if (typeof body !== "object" || body === null || !("nodes" in body)) return [];
  if (!Array.isArray(body.nodes)) return [];
  return body.nodes.flatMap((node: { readonly name?: unknown; readonly status?: unknown }) =>
    node.status === "HEALTHY" ? [String(node.name)] : [],
  );
}

function nodeName(index: number): string {
  return `node${index + 1}`;
}

/** What makes nodes of servers: each is told of all, itself too, so that any can come back alone. */
function together(all: readonly WeaviatePorts[]): { readonly [name: string]: string } {
  return {
    CLUSTER_JOIN: all.map(({ gossip }) => `127.0.0.1:${gossip}`).join(","),
    RAFT_JOIN: all.map(({ raft }, index) => `${nodeName(index)}:${raft}`).join(","),
    RAFT_BOOTSTRAP_EXPECT: String(all.length),
    MEMBERLIST_FAST_FAILURE_DETECTION: "true",
  };
}

class LocalCluster implements WeaviateCluster {
  readonly nodes: readonly WeaviateServer[];

  constructor(nodes: readonly WeaviateServer[]) {
    this.nodes = nodes;
  }

  async form(): Promise<void> {
    // All at once: none is ready before a majority is there.
    await Promise.all(this.nodes.map((node) => node.start()));
    for (const node of this.nodes) await this.untilHealthy(node, this.nodes.length);
  }

  async healthy(node: WeaviateServer): Promise<readonly string[]> {
    return healthyNames((await node.request("GET", "/v1/nodes")).body);
  }

  async untilHealthy(node: WeaviateServer, count: number): Promise<void> {
    let seen: readonly string[] = [];
    await waitUntil(
      async () => {
        seen = await this.healthy(node);
        return seen.length === count;
      },
      {
        timeoutMs: FORM_TIMEOUT_MS,
        describe: () => `expected ${count} healthy nodes, ${node.url} sees ${seen.join(", ")}`,
      },
    );
  }

  async remove(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.remove()));
  }
}

/** Starts three nodes of Weaviate; about 4 s. */
export async function startWeaviateCluster(
  options: WeaviateOptions = {},
): Promise<WeaviateCluster> {
  for (let attempt = 1; ; attempt += 1) {
    const ports: WeaviatePorts[] = [];
    while (ports.length < NODES) ports.push(await freePorts());
    const settings = { ...together(ports), ...options.settings };
    const cluster = new LocalCluster(
      ports.map((own, index) =>
        prepareNode({ ...options, settings, ports: own, nodeName: nodeName(index) }),
      ),
    );
    try {
      await cluster.form();
      return cluster;
    } catch (error) {
      await cluster.remove();
      if (attempt === START_ATTEMPTS) throw error;
    }
  }
}
