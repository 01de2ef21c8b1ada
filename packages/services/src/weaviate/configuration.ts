import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Certificates } from "../certificates.ts";
import { freePort, freePortPair } from "../free-port.ts";

/** The user that the API key stands for. */
const KEY_OWNER = "test";

/** All ports of one server. Nodes find each other's second port of a pair by adding one. */
export interface WeaviatePorts {
  readonly rest: number;
  readonly grpc: number;
  /** The next one is where nodes exchange objects. */
  readonly gossip: number;
  /** The next one is where nodes send what only the leader may do. */
  readonly raft: number;
}

/** What a server is told about itself and others. */
export interface WeaviateConfiguration {
  readonly ports: WeaviatePorts;
  readonly folder: string;
  readonly apiKey: string | undefined;
  readonly certificates: Certificates | undefined;
  /** The server's name among the nodes. */
  readonly nodeName: string;
  /** Environment variables, over ours. */
  readonly settings: { readonly [name: string]: string };
}

export async function freePorts(): Promise<WeaviatePorts> {
  return {
    rest: await freePort(),
    grpc: await freePort(),
    gossip: await freePortPair(),
    raft: await freePortPair(),
  };
}

function access(apiKey: string | undefined): { readonly [name: string]: string } {
  if (apiKey === undefined) return { AUTHENTICATION_ANONYMOUS_ACCESS_ENABLED: "true" };
  return {
    AUTHENTICATION_ANONYMOUS_ACCESS_ENABLED: "false",
    AUTHENTICATION_APIKEY_ENABLED: "true",
    AUTHENTICATION_APIKEY_ALLOWED_KEYS: apiKey,
    AUTHENTICATION_APIKEY_USERS: KEY_OWNER,
    AUTHORIZATION_ADMINLIST_ENABLED: "true",
    AUTHORIZATION_ADMINLIST_USERS: KEY_OWNER,
  };
}

/**
 * Nothing of our own environment, so that a developer's settings change no test; TMPDIR shows whose
 * child it is. Gossip, Raft and REST keep to the loopback; Weaviate has no setting by which gRPC
 * and the exchange between nodes would.
 */
export function environment(of: WeaviateConfiguration): NodeJS.ProcessEnv {
  const { ports, certificates } = of;
  const grpcTls =
    certificates === undefined
      ? {}
      : { GRPC_CERT_FILE: certificates.cert, GRPC_KEY_FILE: certificates.key };
  return {
    PATH: "/usr/bin:/bin",
    HOME: of.folder,
    TMPDIR: tmpdir(),
    PERSISTENCE_DATA_PATH: join(of.folder, "data"),
    DEFAULT_VECTORIZER_MODULE: "none",
    DISABLE_TELEMETRY: "true",
    GO_PROFILING_DISABLE: "true",
    LOG_LEVEL: "warning",
    GRPC_PORT: String(ports.grpc),
    CLUSTER_HOSTNAME: of.nodeName,
    CLUSTER_IN_LOCALHOST: "true",
    CLUSTER_BIND_ADDR: "127.0.0.1",
    CLUSTER_ADVERTISE_ADDR: "127.0.0.1",
    CLUSTER_GOSSIP_BIND_PORT: String(ports.gossip),
    CLUSTER_DATA_BIND_PORT: String(ports.gossip + 1),
    RAFT_PORT: String(ports.raft),
    RAFT_INTERNAL_RPC_PORT: String(ports.raft + 1),
    RAFT_JOIN: `${of.nodeName}:${ports.raft}`,
    // Nodes on one machine need no patience with each other: a leader within a second, not five.
    RAFT_TIMEOUTS_MULTIPLIER: "1",
    ...access(of.apiKey),
    ...grpcTls,
    ...of.settings,
  };
}

export function commandLine({ ports, certificates }: WeaviateConfiguration): string[] {
  if (certificates === undefined) {
    return ["--scheme", "http", "--host", "127.0.0.1", "--port", String(ports.rest)];
  }
  const { cert, key } = certificates;
  const address = ["--tls-host", "127.0.0.1", "--tls-port", String(ports.rest)];
  return ["--scheme", "https", ...address, "--tls-certificate", cert, "--tls-key", key];
}
