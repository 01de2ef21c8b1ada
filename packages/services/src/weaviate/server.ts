import { readFileSync } from "node:fs";
import { makeCertificates } from "../certificates.ts";
import { ServerProcess } from "../server-process.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import type { TemporaryFolder } from "../temporary-folder.ts";
import { findWeaviate, weaviateAvailable } from "./binaries.ts";
import { commandLine, environment, freePorts } from "./configuration.ts";
import type { WeaviatePorts } from "./configuration.ts";
import { sendRequest } from "./rest.ts";
import type { RestAnswer, RestTarget } from "./rest.ts";

const START_ATTEMPTS = 3;

export interface WeaviateOptions {
  /** The only key that is let in, as an administrator; without it anybody is. */
  readonly apiKey?: string;
  /** REST and gRPC speak TLS alone, with a certificate of an authority of its own. */
  readonly tls?: boolean;
  /** Weaviate's environment variables, over ours. */
  readonly settings?: { readonly [name: string]: string };
}

/** A Weaviate of one's own, its data in a temporary folder. */
export interface WeaviateServer {
  readonly port: number;
  readonly grpcPort: number;
  readonly folder: string;
  /** Of its REST interface. */
  readonly url: string;
  readonly grpcUrl: string;
  readonly apiKey: string | undefined;
  /** The authority's certificate of a TLS server. */
  readonly caFile: string | undefined;
  /** Sends a REST request with the key, over a connection of its own. */
  request(method: string, path: string, body?: unknown): Promise<RestAnswer>;
  /** Starts it again, on the same ports and data, after `stop` or `kill`. */
  start(): Promise<void>;
  stop(): Promise<void>;
  restart(): Promise<void>;
  /** SIGKILL: a crash. */
  kill(): Promise<void>;
  /** SIGSTOP: connections stay open, nothing answers. */
  pause(): void;
  resume(): void;
  /** Stops it and removes its folder. */
  remove(): Promise<void>;
}

export interface NodeOptions extends WeaviateOptions {
  readonly ports: WeaviatePorts;
  readonly nodeName: string;
}

class LocalWeaviate implements WeaviateServer {
  readonly port: number;
  readonly grpcPort: number;
  readonly folder: string;
  readonly url: string;
  readonly grpcUrl: string;
  readonly apiKey: string | undefined;
  readonly caFile: string | undefined;
  readonly #folder: TemporaryFolder;
  readonly #process: ServerProcess;
  readonly #target: RestTarget;

  constructor(program: string, options: NodeOptions) {
    const { ports, apiKey, nodeName, settings = {} } = options;
    this.#folder = temporaryFolder("weaviate");
    const folder = this.#folder.path;
    const certificates = options.tls === true ? makeCertificates(folder) : undefined;
    const scheme = certificates === undefined ? "http" : "https";
    this.folder = folder;
    this.port = ports.rest;
    this.grpcPort = ports.grpc;
    this.url = `${scheme}://127.0.0.1:${ports.rest}`;
    this.grpcUrl = `${scheme}://127.0.0.1:${ports.grpc}`;
    this.apiKey = apiKey;
    this.caFile = certificates?.ca;
    const ca = certificates === undefined ? undefined : readFileSync(certificates.ca, "utf8");
    this.#target = { url: this.url, apiKey, ca };
    const configuration = { ports, folder, apiKey, certificates, nodeName, settings };
    this.#process = new ServerProcess({
      program,
      args: commandLine(configuration),
      env: environment(configuration),
      folder,
      ready: () => this.#isReady(),
    });
  }

  request(method: string, path: string, body?: unknown): Promise<RestAnswer> {
    return sendRequest(this.#target, method, path, body);
  }

  start(): Promise<void> {
    return this.#process.start();
  }

  stop(): Promise<void> {
    return this.#process.stop();
  }

  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }

  kill(): Promise<void> {
    return this.#process.kill();
  }

  pause(): void {
    this.#process.pause();
  }

  resume(): void {
    this.#process.resume();
  }

  async remove(): Promise<void> {
    await this.kill();
    this.#folder.remove();
  }

  async #isReady(): Promise<boolean> {
    try {
      return (await this.request("GET", "/v1/.well-known/ready")).status === 200;
    } catch {
      return false;
    }
  }
}

/** A server that is not started yet. */
export function prepareNode(options: NodeOptions): WeaviateServer {
  const program = findWeaviate();
  if (program === undefined) throw new Error(weaviateAvailable());
  return new LocalWeaviate(program, options);
}

/**
 * Starts a Weaviate of one's own: about 3 s, most of it waiting, and 95 MB. It ends with this
 * process at the latest.
 */
export async function startWeaviate(options: WeaviateOptions = {}): Promise<WeaviateServer> {
  for (let attempt = 1; ; attempt += 1) {
    const ports = await freePorts();
    const server = prepareNode({ ...options, ports, nodeName: "node1" });
    try {
      await server.start();
      return server;
    } catch (error) {
      await server.remove();
      // Another process may have taken a port between our look and Weaviate's.
      if (attempt === START_ATTEMPTS) throw error;
    }
  }
}
