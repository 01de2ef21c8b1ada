import type { WeaviateClient, weaviateV2 } from "weaviate-client";
import type { Metrics, TierOperation } from "../../metrics/metrics.ts";
import type { Clock, Random } from "../../model/clock.ts";
import { MemoryError } from "../../model/errors.ts";
import type { MemoryTier } from "../../model/item.ts";
import { backoffMs } from "../../resilience/backoff.ts";
import { Breaker } from "../../resilience/breaker.ts";
import { apiKeyFrom } from "./api-key.ts";
import { faultOf, translateFault } from "./weaviate-faults.ts";
import { describeNode } from "./weaviate-target.ts";
import type { WeaviateNode } from "./weaviate-target.ts";

export interface ConnectionOptions {
  /** At least one. */
  readonly nodes: readonly WeaviateNode[];
  readonly apiKey: string | undefined;
  readonly apiKeyFile: string | undefined;
  readonly queryTimeoutMs: number;
  readonly writeTimeoutMs: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly metrics: Metrics;
  readonly tier: MemoryTier;
}

/** Inserts over HTTP: that of the newer client waits half a second whenever there is more than one object. */
export type BatchClient = ReturnType<typeof weaviateV2.client>["batch"];

/** An object as it is inserted. */
export type BatchObject = Parameters<ReturnType<BatchClient["objectsBatcher"]>["withObject"]>[0];

interface Clients {
  readonly client: WeaviateClient;
  readonly batch: BatchClient;
}

/** The oldest that weaviate-client speaks with. */
const VERSION_MIN = [1, 27] as const;

const MS_PER_SECOND = 1000;
const FAILURES_MAX = 3;
const OPEN_MS = 500;
const OPEN_MAX_MS = 10_000;
/** All calls may be repeated: each replaces, removes or reads. */
const TRIES_MAX = 3;
const RETRY_BACKOFF = { firstMs: 50, maxMs: 1000 };

/**
 * The way to Weaviate. A client whose call found nobody is not used again: gRPC waits ever longer before
 * it tries a server anew, and meanwhile repeats each call and complains to the console. The next call
 * asks over HTTP whether somebody is there, the next node first, and makes a new client.
 */
export class WeaviateConnection {
  readonly #options: ConnectionOptions;
  readonly #breaker: Breaker;
  #clients: Clients | undefined;
  #connecting: Promise<Clients> | undefined;
  #node = 0;
  #isClosed = false;
  /** What the last call failed of; undefined when it did not. */
  #failure: MemoryError | undefined;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    const { clock, random, metrics, tier } = options;
    this.#breaker = new Breaker({
      name: "Weaviate",
      clock,
      random,
      failuresMax: FAILURES_MAX,
      openMs: OPEN_MS,
      openMaxMs: OPEN_MAX_MS,
      onState: (state) => metrics.breaker(tier, state),
    });
  }

  get where(): string {
    const node = this.#options.nodes[this.#node];
    return node === undefined ? "nowhere" : describeNode(node);
  }

  get trouble(): string | undefined {
    return this.#failure?.message;
  }

  close(): void {
    this.#isClosed = true;
    this.#letGo();
  }

  /** Runs a call that may be repeated. All failures come as MemoryErrors. */
  async run<T>(
    operation: TierOperation,
    work: (client: WeaviateClient, batch: BatchClient) => Promise<T>,
  ): Promise<T> {
    const { clock, random, metrics, tier } = this.#options;
    const startedMs = clock.monotonicMs();
    for (let tries = 1; ; tries += 1) {
      let clients: Clients | undefined;
      try {
        this.#admit();
        clients = await this.#connected();
        const result = await work(clients.client, clients.batch);
        this.#answered();
        metrics.latency(tier, operation, clock.monotonicMs() - startedMs);
        return result;
      } catch (error) {
        const mayRetry = this.#judge(error, clients) && tries < TRIES_MAX;
        if (!mayRetry || this.#breaker.state !== "closed") {
          const failure = failureOf(error, this.where);
          metrics.error(tier, operation, failure.code);
          throw failure;
        }
        metrics.retry(tier, operation);
        await clock.sleep(backoffMs(tries, RETRY_BACKOFF, random));
      }
    }
  }

  #admit(): void {
    if (this.#isClosed)
      throw new MemoryError("CLOSED", "the vector tier is closed; make a new memory");
    try {
      this.#breaker.admit();
    } catch (refusal) {
      // That it was not sent is one thing, and what is the matter another.
      const failure = this.#failure;
      if (!(refusal instanceof MemoryError) || failure === undefined) throw refusal;
      if (!failure.retryable) throw failure;
      const text = `${refusal.message}; the last time: ${failure.message}`;
      throw new MemoryError(refusal.code, text, { cause: failure });
    }
  }

  #answered(): void {
    this.#breaker.success();
    this.#failure = undefined;
  }

  /** Draws what follows from a failure; true where another try may go better. */
  #judge(error: unknown, clients: Clients | undefined): boolean {
    // A refusal of our own, which says nothing of the server.
    if (error instanceof MemoryError) return false;
    const kind = error instanceof OldServer ? "away" : faultOf(error);
    if (kind !== "away" && kind !== "locked out") {
      // It answered, if only to refuse.
      this.#answered();
      return false;
    }
    this.#failure = failureOf(error, this.where);
    this.#breaker.failure(error);
    // Of several calls that found nobody one is enough to go on to the next node.
    if (clients !== undefined && clients === this.#clients) this.#goOn();
    return !(error instanceof OldServer);
  }

  /** To the next node, at the next call. */
  #goOn(): void {
    this.#letGo();
    this.#node = (this.#node + 1) % this.#options.nodes.length;
  }

  #letGo(): void {
    const clients = this.#clients;
    this.#clients = undefined;
    clients?.client.close().catch(() => {
      // It is not used any more, whether it ends well or not.
    });
  }

  async #connected(): Promise<Clients> {
    if (this.#clients !== undefined) return this.#clients;
    this.#connecting ??= this.#connect().finally(() => {
      this.#connecting = undefined;
    });
    return this.#connecting;
  }

  async #connect(): Promise<Clients> {
    const { nodes } = this.#options;
    const node = nodes[this.#node];
    if (node === undefined) throw new MemoryError("INTERNAL", "Weaviate has no server");
    const clients = await this.#makeClients(node);
    try {
      checkVersion((await clients.client.getMeta()).version ?? "unknown", describeNode(node));
      if (this.#isClosed)
        throw new MemoryError("CLOSED", "the vector tier is closed; make a new memory");
    } catch (error) {
      await clients.client.close();
      this.#goOn();
      throw error;
    }
    this.#clients = clients;
    return clients;
  }

  async #makeClients(node: WeaviateNode): Promise<Clients> {
    const { apiKey, apiKeyFile, queryTimeoutMs, writeTimeoutMs } = this.#options;
    // Loaded here: it costs start-up time and memory, and many go without it.
    const { default: weaviate, weaviateV2 } = await import("weaviate-client");
    const key = apiKeyFrom(apiKey, apiKeyFile);
    const credentials = key === undefined ? undefined : new weaviate.ApiKey(key);
    const timeout = {
      init: queryTimeoutMs / MS_PER_SECOND,
      query: queryTimeoutMs / MS_PER_SECOND,
      insert: writeTimeoutMs / MS_PER_SECOND,
    };
    const client = await weaviate.connectToCustom({
      ...node,
      ...(credentials === undefined ? {} : { authCredentials: credentials }),
      timeout,
      skipInitChecks: true,
    });
    const scheme = node.httpSecure ? "https" : "http";
    const { batch } = weaviateV2.client({
      scheme,
      host: `${scheme}://${node.httpHost}:${node.httpPort}${node.httpPath}`,
      ...(credentials === undefined ? {} : { apiKey: credentials }),
      timeout,
    });
    return { client, batch };
  }
}

/** There is somebody, and of no use. */
class OldServer extends Error {}

function checkVersion(version: string, where: string): void {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  if (major > VERSION_MIN[0] || (major === VERSION_MIN[0] && minor >= VERSION_MIN[1])) return;
  throw new OldServer(
    `Weaviate at ${where} is of version ${version}, expected ${VERSION_MIN.join(".")} or newer; upgrade the server`,
  );
}

function failureOf(error: unknown, where: string): MemoryError {
  return error instanceof OldServer
    ? new MemoryError("CAPABILITY_UNAVAILABLE", error.message)
    : translateFault(error, where);
}
