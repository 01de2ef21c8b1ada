import type { Metrics, TierOperation } from "../../metrics/metrics.ts";
import { noMetrics } from "../../metrics/metrics.ts";
import type { Clock } from "../../model/clock.ts";
import { toMemoryError } from "../../model/errors.ts";
import { MemoryTier } from "../../model/item.ts";
import type { ItemRecord, ItemRef } from "../../model/item.ts";
import type { Limits } from "../../model/limits.ts";
import type {
  AuthorityTier,
  ChangePage,
  ExportPageRequest,
  FollowPoll,
  FollowState,
  ForgetChunk,
  Job,
  JobProgress,
  KnownAsOf,
  LeaseAnswer,
  SearchRequest,
  SearchResult,
  Selection,
  SweepReport,
  WriteOperation,
  WriteOptions,
  WriteResult,
} from "../authority.ts";
import type { KeywordIndex } from "../keyword.ts";
import type { TierCapabilities, TierHealth, TierUsage } from "../tier.ts";
import type { AuthorityContext } from "./authority-context.ts";
import { AuthorityLifecycle } from "./authority-lifecycle.ts";
import { BoundSchema } from "./bound-schema.ts";
import { ChangeReader } from "./change-reader.ts";
import type { ChangesRequest } from "./change-reader.ts";
import type { Database } from "./database.ts";
import { Forgetter } from "./forgetter.ts";
import { ItemWriter } from "./item-writer.ts";
import { JobRunner } from "./job-runner.ts";
import { Leases } from "./leases.ts";
import { Maintenance } from "./maintenance.ts";
import { newestVersions } from "./queries/newest-versions.ts";
import { readItems } from "./queries/read-items.ts";
import { PostgresKeywordIndex } from "./recall/keyword-index.ts";
import { readUsage } from "./queries/usage.ts";
import { DEFAULT_RETENTION } from "./retention.ts";
import type { Retention } from "./retention.ts";
import { Searcher } from "./searcher.ts";
import { SettledLog } from "./settled-log.ts";
import { SingleReads } from "./single-reads.ts";

export interface PostgresAuthorityOptions {
  readonly database: Database;
  readonly schema: string;
  readonly clock: Clock;
  readonly limits: Limits;
  readonly metrics?: Metrics;
  readonly retention?: Partial<Retention>;
}

const CAPABILITIES: TierCapabilities = Object.freeze({
  role: "authority",
  holds: "bytes",
  synchronous: false,
  shared: true,
  durable: true,
  ephemeral: false,
});

/** Times in the log are not in the order of its transactions: a doubt is told in half of the time. */
const DOUBT_MARGIN = 2;

/** The durable authority on PostgreSQL, a server or embedded: the same SQL on both. */
export class PostgresAuthority implements AuthorityTier {
  readonly name: MemoryTier = MemoryTier.L3_POSTGRESQL;
  readonly capabilities: TierCapabilities;
  readonly keywords: KeywordIndex;
  readonly #context: AuthorityContext;
  readonly #metrics: Metrics;
  readonly #lifecycle: AuthorityLifecycle;
  readonly #singles: SingleReads;
  readonly #writer: ItemWriter;
  readonly #leases: Leases;
  readonly #searcher: Searcher;
  readonly #forgetter: Forgetter;
  readonly #jobs: JobRunner;
  readonly #changes: ChangeReader;
  readonly #tombstoneSeconds: number;
  readonly #maintenance: Maintenance;
  #items = 0;
  #bytes = 0;
  #hits = 0;
  #misses = 0;
  #expirations = 0;

  constructor(options: PostgresAuthorityOptions) {
    const { database, clock, limits } = options;
    const context = { database, clock, limits, schema: new BoundSchema(options.schema) };
    const log = new SettledLog(context);
    this.capabilities = { ...CAPABILITIES, shared: !database.exclusive };
    this.#context = context;
    this.#metrics = options.metrics ?? noMetrics;
    this.#lifecycle = new AuthorityLifecycle(context);
    this.#singles = new SingleReads(context);
    this.#writer = new ItemWriter(context);
    this.#leases = new Leases(context);
    this.#searcher = new Searcher(context);
    this.#forgetter = new Forgetter(context);
    this.#jobs = new JobRunner(context, this.#forgetter);
    this.#changes = new ChangeReader(context, log);
    this.keywords = this.#timedKeywords(new PostgresKeywordIndex(context, log));
    const retention = { ...DEFAULT_RETENTION, ...options.retention };
    this.#tombstoneSeconds = retention.tombstoneSeconds;
    this.#maintenance = new Maintenance(context, log, retention);
  }

  get exclusive(): boolean {
    return this.#context.database.exclusive;
  }

  initialize(): Promise<void> {
    return this.#lifecycle.initialize();
  }

  close(): Promise<void> {
    return this.#lifecycle.close();
  }

  health(): TierHealth {
    return this.#lifecycle.health();
  }

  usage(): TierUsage {
    return {
      items: this.#items,
      bytes: this.#bytes,
      maxBytes: Number.POSITIVE_INFINITY,
      maxItems: Number.POSITIVE_INFINITY,
      hits: this.#hits,
      misses: this.#misses,
      evictions: 0,
      expirations: this.#expirations,
    };
  }

  getMany(refs: readonly ItemRef[]): Promise<readonly (ItemRecord | undefined)[]> {
    const [only] = refs;
    const single = refs.length === 1 ? only : undefined;
    return this.#timed(single === undefined ? "batch" : "get", async () => {
      const { database, schema, clock } = this.#context;
      const request = { refs, sentAtMs: clock.monotonicMs() };
      const records =
        single === undefined
          ? await readItems(database, schema, request)
          : [await this.#singles.read(single)];
      for (const record of records) {
        if (record === undefined) this.#misses += 1;
        else this.#hits += 1;
      }
      return records;
    });
  }

  newestVersions(known: readonly KnownAsOf[]): Promise<readonly number[]> {
    const { database, schema } = this.#context;
    const request = { known, ageSeconds: this.#tombstoneSeconds / DOUBT_MARGIN };
    return this.#timed("batch", () => newestVersions(database, schema, request));
  }

  write(
    operations: readonly WriteOperation[],
    options?: WriteOptions,
  ): Promise<readonly WriteResult[]> {
    const [first] = operations;
    const one: TierOperation = first?.kind === "remove" ? "delete" : "set";
    return this.#timed(operations.length === 1 ? one : "batch", () =>
      this.#writer.write(operations, options),
    );
  }

  modify(
    ref: ItemRef,
    decide: (current: ItemRecord | undefined) => WriteOperation | undefined,
    options?: WriteOptions,
  ): Promise<WriteResult | undefined> {
    return this.#timed("set", () => this.#writer.modify(ref, decide, options));
  }

  takeLease(ref: ItemRef, ttlSeconds: number | undefined): Promise<LeaseAnswer> {
    return this.#timed("get", () => this.#leases.take(ref, ttlSeconds));
  }

  renewLease(ref: ItemRef, token: string, ttlSeconds: number): Promise<boolean> {
    return this.#timed("set", () => this.#leases.renew(ref, token, ttlSeconds));
  }

  releaseLease(ref: ItemRef, token: string): Promise<void> {
    return this.#timed("delete", () => this.#leases.release(ref, token));
  }

  search(request: SearchRequest): Promise<SearchResult> {
    return this.#timed("search", () => this.#searcher.search(request));
  }

  exportPage(request: ExportPageRequest): Promise<readonly ItemRecord[]> {
    return this.#timed("scan", () => this.#searcher.exportPage(request));
  }

  forgetChunk(
    selection: Selection,
    options: {
      readonly limit: number;
      readonly after: string | undefined;
      readonly dryRun: boolean;
    },
  ): Promise<ForgetChunk> {
    const { dryRun, ...bounds } = options;
    const request = { selection, ...bounds };
    return this.#timed("scan", () =>
      dryRun ? this.#forgetter.listChunk(request) : this.#forgetter.forgetChunk(request),
    );
  }

  clear(namespace: string, below: boolean): Promise<{ readonly version: number }> {
    return this.#timed("delete", async () => ({
      version: await this.#writer.clear(namespace, below),
    }));
  }

  readChanges(request: ChangesRequest): Promise<ChangePage> {
    return this.#timed("scan", () => this.#changes.read(request));
  }

  changePosition(): Promise<number> {
    return this.#timed("scan", () => this.#changes.position());
  }

  loadConsumer(name: string): Promise<number | undefined> {
    return this.#timed("get", () => this.#changes.loadConsumer(name));
  }

  saveConsumer(name: string, position: number): Promise<void> {
    return this.#timed("set", () => this.#changes.saveConsumer(name, position));
  }

  follow(state: FollowState | undefined): Promise<FollowPoll> {
    return this.#timed("scan", () => this.#changes.follow(state));
  }

  createJob(selection: Selection, progress?: JobProgress): Promise<Job> {
    return this.#timed("set", () => this.#jobs.create(selection, progress));
  }

  readJob(id: string): Promise<Job | undefined> {
    return this.#timed("get", () => this.#jobs.read(id));
  }

  advanceJob(
    id: string,
    limit: number,
  ): Promise<{ readonly job: Job; readonly chunk: ForgetChunk }> {
    return this.#timed("scan", () => this.#jobs.advance(id, limit));
  }

  unfinishedJobs(limit: number): Promise<readonly Job[]> {
    return this.#timed("scan", () => this.#jobs.unfinished(limit));
  }

  sweep(limit: number): Promise<SweepReport> {
    return this.#timed("scan", async () => {
      const report = await this.#maintenance.sweep(limit);
      this.#expirations += report.expired;
      return report;
    });
  }

  refreshUsage(): Promise<void> {
    return this.#timed("scan", async () => {
      const { items, bytes } = await readUsage(this.#context.database, this.#context.schema);
      this.#items = items;
      this.#bytes = bytes;
    });
  }

  #timedKeywords(index: KeywordIndex): KeywordIndex {
    return {
      search: (request) => this.#timed("search", () => index.search(request)),
      resolve: (query) => this.#timed("search", () => index.resolve(query)),
      neighbours: (request) => this.#timed("search", () => index.neighbours(request)),
      sessions: (request) => this.#timed("search", () => index.sessions(request)),
      forget: (refs) => this.#timed("delete", () => index.forget(refs)),
      advance: (reader, bounds) => this.#timed("scan", () => index.advance(reader, bounds)),
    };
  }

  async #timed<T>(operation: TierOperation, work: () => Promise<T>): Promise<T> {
    const { clock } = this.#context;
    const startedMs = clock.monotonicMs();
    this.#lifecycle.assertReady();
    try {
      const result = await work();
      this.#lifecycle.succeeded();
      this.#metrics.latency(this.name, operation, clock.monotonicMs() - startedMs);
      return result;
    } catch (error) {
      const failure = toMemoryError(error);
      this.#lifecycle.failed(failure);
      this.#metrics.error(this.name, operation, failure.code);
      throw error;
    }
  }
}
