import type { Metrics } from "../../metrics/metrics.ts";
import { noMetrics } from "../../metrics/metrics.ts";
import type { Clock, Random } from "../../model/clock.ts";
import { MemoryError } from "../../model/errors.ts";
import { MemoryTier } from "../../model/item.ts";
import type { TierHealth, TierUsage } from "../tier.ts";
import type {
  EntryPage,
  EntryRef,
  IndexVersion,
  MatchHit,
  MatchRequest,
  NearestRequest,
  NearestResult,
  VectorCapabilities,
  VectorEntry,
  VectorTier,
} from "../vector.ts";
import { Collections, DIMENSIONS_MAX } from "./collections.ts";
import { walkEntries } from "./entry-walk.ts";
import { EntryWriter } from "./entry-writer.ts";
import { Searcher } from "./searcher.ts";
import { Tenants } from "./tenants.ts";
import { WeaviateConnection } from "./weaviate-connection.ts";
import { parseWeaviateTarget } from "./weaviate-target.ts";

export interface WeaviateTierOptions {
  /** http://host:port or https://; several servers of one cluster separated by commas. */
  readonly url: string;
  /** In the same order; default: the same hosts, port 50051. */
  readonly grpcUrl?: string;
  readonly apiKey?: string;
  /** Holds the key alone, read for every new connection. */
  readonly apiKeyFile?: string;
  /** First part of the collections' names, beginning with a capital: memories may share a Weaviate. */
  readonly prefix?: string;
  readonly queryTimeoutMs?: number;
  readonly writeTimeoutMs?: number;
  /** How long `initialize` waits for a Weaviate that is not there; it goes on without. */
  readonly startTimeoutMs?: number;
  /** Copies of each entry in a cluster. */
  readonly replicationFactor?: number;
  /** Namespaces that this server keeps in Weaviate's memory. */
  readonly activeTenantsMax?: number;
  /** Namespaces that one search below another may take in. */
  readonly belowNamespacesMax?: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly metrics?: Metrics;
}

const PREFIX = "Cherry";
const QUERY_TIMEOUT_MS = 3000;
const WRITE_TIMEOUT_MS = 30_000;
const START_TIMEOUT_MS = 1500;
const ACTIVE_TENANTS_MAX = 1000;
const BELOW_NAMESPACES_MAX = 1000;

/** No bound on the namespaces of a clear: each is emptied by itself. */
const ALL = Number.POSITIVE_INFINITY;

/** Weaviate as the index by meaning, with an index of words of its own: a tenant a namespace. */
export class WeaviateTier implements VectorTier {
  readonly name: MemoryTier = MemoryTier.L4_WEAVIATE;
  readonly capabilities: VectorCapabilities = {
    role: "index",
    holds: "vectors",
    synchronous: false,
    shared: true,
    durable: true,
    ephemeral: false,
    filters: { fields: true, time: true },
    ownKeywordIndex: true,
    dimensionsMax: DIMENSIONS_MAX,
  };
  readonly #connection: WeaviateConnection;
  readonly #collections: Collections;
  readonly #tenants: Tenants;
  readonly #writer: EntryWriter;
  readonly #searcher: Searcher;
  readonly #clock: Clock;
  readonly #startTimeoutMs: number;
  #state: "new" | "ready" | "closed" = "new";
  #items = 0;

  constructor(options: WeaviateTierOptions) {
    const { url, grpcUrl, apiKey, apiKeyFile, clock, random } = options;
    const connection = new WeaviateConnection({
      nodes: parseWeaviateTarget(url, grpcUrl),
      apiKey,
      apiKeyFile,
      queryTimeoutMs: options.queryTimeoutMs ?? QUERY_TIMEOUT_MS,
      writeTimeoutMs: options.writeTimeoutMs ?? WRITE_TIMEOUT_MS,
      clock,
      random,
      metrics: options.metrics ?? noMetrics,
      tier: this.name,
    });
    const collections = new Collections(connection, {
      prefix: options.prefix ?? PREFIX,
      replicationFactor: options.replicationFactor ?? 1,
    });
    const tenants = new Tenants(connection, collections, {
      activeTenantsMax: options.activeTenantsMax ?? ACTIVE_TENANTS_MAX,
      // The connection keeps it as its trouble, which health shows.
      onError: () => {},
    });
    const parts = { connection, collections, tenants };
    this.#connection = connection;
    this.#collections = collections;
    this.#tenants = tenants;
    this.#writer = new EntryWriter(parts);
    this.#searcher = new Searcher({
      ...parts,
      belowNamespacesMax: options.belowNamespacesMax ?? BELOW_NAMESPACES_MAX,
    });
    this.#clock = clock;
    this.#startTimeoutMs = options.startTimeoutMs ?? START_TIMEOUT_MS;
  }

  /** A Weaviate that is away is no failure of the start: `health` tells, and calls find it when it is back. */
  async initialize(): Promise<void> {
    if (this.#state !== "new") return;
    this.#state = "ready";
    const looked = this.#connection
      .run("get", async () => {})
      .catch(() => {
        // Told by `health`.
      });
    await Promise.race([looked, this.#clock.sleep(this.#startTimeoutMs)]);
  }

  async close(): Promise<void> {
    if (this.#state === "closed") return;
    this.#state = "closed";
    await this.#tenants.settle();
    this.#connection.close();
  }

  health(): TierHealth {
    if (this.#state === "closed") return { status: "closed", reason: "closed" };
    if (this.#state === "new") return { status: "degraded", reason: "not open yet" };
    const { trouble } = this.#connection;
    return trouble === undefined ? { status: "ready" } : { status: "degraded", reason: trouble };
  }

  usage(): TierUsage {
    return {
      items: this.#items,
      bytes: 0,
      maxBytes: Number.POSITIVE_INFINITY,
      maxItems: Number.POSITIVE_INFINITY,
      hits: 0,
      misses: 0,
      evictions: 0,
      expirations: 0,
    };
  }

  async ensureIndex(index: IndexVersion): Promise<void> {
    this.#assertReady();
    await this.#collections.ensure(index);
  }

  async listIndexes(): Promise<readonly IndexVersion[]> {
    this.#assertReady();
    return this.#collections.list();
  }

  async dropIndex(number: number): Promise<void> {
    this.#assertReady();
    this.#tenants.forgetIndex(number);
    await this.#collections.drop(number);
  }

  async upsert(index: number, entries: readonly VectorEntry[]): Promise<void> {
    this.#assertReady();
    await this.#writer.upsert(index, entries);
  }

  async remove(refs: readonly EntryRef[]): Promise<void> {
    this.#assertReady();
    if (refs.length === 0) return;
    for (const { number } of await this.#collections.list())
      await this.#writer.remove(number, refs);
  }

  async clear(scope: {
    readonly namespace: string;
    readonly below: boolean;
    readonly itemVersion: number;
  }): Promise<number> {
    this.#assertReady();
    const namespaces = await this.#tenants.within(scope, ALL);
    let removed = 0;
    for (const { number } of await this.#collections.list())
      for (const namespace of namespaces)
        removed += await this.#writer.clear(number, namespace, scope.itemVersion);
    return removed;
  }

  async nearest(request: NearestRequest): Promise<NearestResult> {
    this.#assertReady();
    return this.#searcher.nearest(request);
  }

  async match(request: MatchRequest): Promise<readonly MatchHit[]> {
    this.#assertReady();
    return this.#searcher.match(request);
  }

  async entries(request: {
    readonly index: number;
    readonly after: string | undefined;
    readonly limit: number;
  }): Promise<EntryPage> {
    this.#assertReady();
    const parts = {
      connection: this.#connection,
      collections: this.#collections,
      tenants: this.#tenants,
    };
    return walkEntries(parts, request);
  }

  /** Of tenants in memory only: Weaviate does not say how many entries lie in idle ones. */
  async refreshUsage(): Promise<void> {
    this.#assertReady();
    const numbers = (await this.#collections.list()).map(({ number }) => number);
    this.#items = await this.#connection.run("scan", async (client) => {
      const names = new Set(
        numbers.map((number) => this.#collections.entriesOf(client, number).name),
      );
      const nodes = await client.cluster.nodes({ output: "verbose" });
      const shards = nodes.flatMap((node) => node.shards ?? []);
      return shards
        .filter((shard) => names.has(shard.class))
        .reduce((sum, shard) => sum + shard.objectCount, 0);
    });
  }

  #assertReady(): void {
    if (this.#state === "closed")
      throw new MemoryError("CLOSED", "the vector tier is closed; make a new memory");
    if (this.#state === "new")
      throw new MemoryError("NOT_INITIALIZED", "the vector tier is not open; await initialize()");
  }
}
