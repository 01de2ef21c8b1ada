import type { Metrics, TierOperation } from "../../metrics/metrics.ts";
import { noMetrics } from "../../metrics/metrics.ts";
import type { Clock } from "../../model/clock.ts";
import { MemoryError, toMemoryError } from "../../model/errors.ts";
import { MemoryTier } from "../../model/item.ts";
import { BoundSchema } from "../postgres/bound-schema.ts";
import { numberIn, onlyRow } from "../postgres/columns.ts";
import type { Database } from "../postgres/database.ts";
import { decodeCursor, encodeCursor } from "./entry-cursor.ts";
import type { TierHealth, TierUsage } from "../tier.ts";
import type {
  EntryPage,
  EntryRef,
  IndexVersion,
  NearestRequest,
  NearestResult,
  VectorCapabilities,
  VectorEntry,
  VectorTier,
} from "../vector.ts";
import { clearEntries, readEntries, removeEntries, upsertEntries } from "./entry-writer.ts";
import { IndexRegistry, isMissingTable } from "./index-registry.ts";
import { LargeScopes } from "./large-scopes.ts";
import { nearestEntries } from "./nearest.ts";
import type { PgvectorContext } from "./pgvector-context.ts";
import { DEFAULT_SEARCH } from "./search-options.ts";
import type { SearchOptions } from "./search-options.ts";
import { DIMENSIONS_MAX } from "./vector-table.ts";
import type { VectorTable } from "./vector-table.ts";

export interface PgvectorTierOptions {
  /** The authority's, which opens it before this tier and closes it after. */
  readonly database: Database;
  readonly schema: string;
  readonly clock: Clock;
  readonly metrics?: Metrics;
  readonly search?: Partial<SearchOptions>;
}

/**
 * Vectors beside the items, in the same PostgreSQL, a server or embedded: no further service. Without
 * the extension the tier is off and says why, and everything else works.
 */
export class PgvectorTier implements VectorTier {
  readonly name: MemoryTier = MemoryTier.L4_WEAVIATE;
  readonly capabilities: VectorCapabilities;
  readonly #context: PgvectorContext;
  readonly #metrics: Metrics;
  readonly #search: SearchOptions;
  readonly #registry: IndexRegistry;
  readonly #large: LargeScopes;
  #state: "new" | "ready" | "closed" = "new";
  /** Why there can be no vectors in this database. */
  #absence: MemoryError | undefined;
  #trouble: string | undefined;
  #items = 0;
  #bytes = 0;

  constructor(options: PgvectorTierOptions) {
    const { database, clock } = options;
    this.capabilities = {
      role: "index",
      holds: "vectors",
      synchronous: false,
      shared: !database.exclusive,
      durable: true,
      ephemeral: false,
      filters: { fields: true, time: true },
      ownKeywordIndex: false,
      dimensionsMax: DIMENSIONS_MAX,
    };
    this.#context = { database, clock, schema: new BoundSchema(options.schema) };
    this.#metrics = options.metrics ?? noMetrics;
    this.#search = { ...DEFAULT_SEARCH, ...options.search };
    this.#registry = new IndexRegistry(this.#context);
    this.#large = new LargeScopes(clock);
  }

  /** A database that cannot hold vectors is no failure of the start: `health` tells. May be repeated. */
  async initialize(): Promise<void> {
    if (this.#state === "closed") this.#assertReady();
    try {
      await this.#registry.prepare();
      this.#absence = undefined;
    } catch (error) {
      const failure = toMemoryError(error);
      if (failure.code !== "CAPABILITY_UNAVAILABLE") throw error;
      this.#absence = failure;
    }
    this.#state = "ready";
  }

  async close(): Promise<void> {
    this.#state = "closed";
  }

  health(): TierHealth {
    if (this.#state === "closed") return { status: "closed", reason: "closed" };
    if (this.#absence !== undefined) return { status: "off", reason: this.#absence.message };
    if (this.#state === "new") return { status: "degraded", reason: "not open yet" };
    return this.#trouble === undefined
      ? { status: "ready" }
      : { status: "degraded", reason: this.#trouble };
  }

  usage(): TierUsage {
    return {
      items: this.#items,
      bytes: this.#bytes,
      maxBytes: Number.POSITIVE_INFINITY,
      maxItems: Number.POSITIVE_INFINITY,
      hits: 0,
      misses: 0,
      evictions: 0,
      expirations: 0,
    };
  }

  ensureIndex(index: IndexVersion): Promise<void> {
    return this.#timed("set", () => this.#registry.ensure(index));
  }

  listIndexes(): Promise<readonly IndexVersion[]> {
    return this.#timed("get", () => this.#registry.list());
  }

  dropIndex(number: number): Promise<void> {
    return this.#timed("delete", () => this.#registry.drop(number));
  }

  upsert(index: number, entries: readonly VectorEntry[]): Promise<void> {
    const { database } = this.#context;
    return this.#timed("set", () =>
      this.#registry.with(index, (table) => upsertEntries(database, table, entries)),
    );
  }

  remove(refs: readonly EntryRef[]): Promise<void> {
    const { database } = this.#context;
    return this.#timed("delete", async () => {
      await this.#onAll((table) => removeEntries(database, table, refs));
    });
  }

  clear(scope: {
    readonly namespace: string;
    readonly below: boolean;
    readonly itemVersion: number;
  }): Promise<number> {
    const { database } = this.#context;
    return this.#timed("delete", async () => {
      const counts = await this.#onAll((table) => clearEntries(database, table, scope));
      return counts.reduce((sum, count) => sum + count, 0);
    });
  }

  nearest(request: NearestRequest): Promise<NearestResult> {
    const { database } = this.#context;
    return this.#timed("search", () =>
      this.#registry.with(request.index, (table) =>
        nearestEntries({ database, table, large: this.#large, options: this.#search }, request),
      ),
    );
  }

  entries(request: {
    readonly index: number;
    readonly after: string | undefined;
    readonly limit: number;
  }): Promise<EntryPage> {
    const { database } = this.#context;
    return this.#timed("scan", async () => {
      const { index, limit } = request;
      const after = decodeCursor(request.after);
      const entries = await this.#registry.with(index, (table) =>
        readEntries(database, table, { after, limit }),
      );
      const last = entries.length < limit ? undefined : entries.at(-1);
      return { entries, next: encodeCursor(last) };
    });
  }

  refreshUsage(): Promise<void> {
    const { database } = this.#context;
    return this.#timed("scan", async () => {
      const sizes = await this.#onAll(async (table) => {
        const rows = await database.query(
          {
            text: `SELECT greatest(c.reltuples, 0)::float8 AS items,
                pg_total_relation_size(c.oid)::float8 AS bytes
              FROM pg_catalog.pg_class c WHERE c.oid = $1::regclass`,
          },
          [table.name],
        );
        const row = onlyRow(rows);
        return { items: numberIn(row, "items"), bytes: numberIn(row, "bytes") };
      });
      this.#items = sizes.reduce((sum, { items }) => sum + items, 0);
      this.#bytes = sizes.reduce((sum, { bytes }) => sum + bytes, 0);
    });
  }

  /** One after another; a table that goes meanwhile has nothing to be removed any more. */
  async #onAll<T>(work: (table: VectorTable) => Promise<T>): Promise<T[]> {
    const results: T[] = [];
    for (const table of await this.#registry.tables()) {
      try {
        results.push(await work(table));
      } catch (error) {
        if (!isMissingTable(error)) throw error;
        this.#registry.forget(table.index.number);
      }
    }
    return results;
  }

  #assertReady(): void {
    if (this.#state === "closed")
      throw new MemoryError("CLOSED", "the vector tier is closed; make a new memory");
    if (this.#state === "new")
      throw new MemoryError("NOT_INITIALIZED", "the vector tier is not open; await initialize()");
    if (this.#absence !== undefined) throw this.#absence;
  }

  async #timed<T>(operation: TierOperation, work: () => Promise<T>): Promise<T> {
    const { clock } = this.#context;
    const startedMs = clock.monotonicMs();
    this.#assertReady();
    try {
      const result = await work();
      this.#trouble = undefined;
      this.#metrics.latency(this.name, operation, clock.monotonicMs() - startedMs);
      return result;
    } catch (error) {
      const failure = repeatable(toMemoryError(error));
      if (failure.code === "STORE_UNAVAILABLE") this.#trouble = failure.message;
      this.#metrics.error(this.name, operation, failure.code);
      throw failure;
    }
  }
}

/** Whatever became of a write to an index, to send it again does no harm. */
function repeatable(failure: MemoryError): MemoryError {
  if (failure.code !== "OUTCOME_UNKNOWN") return failure;
  return new MemoryError(
    "STORE_UNAVAILABLE",
    "the answer to a change of the vector index never came; send it again, which is harmless",
    { cause: failure },
  );
}
