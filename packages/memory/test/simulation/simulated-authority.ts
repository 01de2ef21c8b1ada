import { MemoryError } from "../../src/model/errors.ts";
import type { ItemRecord, ItemRef } from "../../src/model/item.ts";
import { MemoryTier } from "../../src/model/item.ts";
import type {
  AuthorityTier,
  FollowPoll,
  FollowState,
  Job,
  KnownAsOf,
  LeaseAnswer,
  SweepReport,
  WriteOperation,
  WriteOptions,
  WriteResult,
} from "../../src/tiers/authority.ts";
import type { TierHealth, TierUsage } from "../../src/tiers/tier.ts";
import type { Row } from "./database-state.ts";
import { unavailable } from "./database-calls.ts";
import type { DatabaseCalls } from "./database-calls.ts";
import type { SimulatedDatabase } from "./simulated-database.ts";
import type { SimulatedProcess } from "./simulated-process.ts";

/** The simulated database as one server reaches it. */
export class SimulatedAuthority implements AuthorityTier {
  readonly name = MemoryTier.L3_POSTGRESQL;
  readonly capabilities = {
    role: "authority",
    holds: "bytes",
    synchronous: false,
    shared: true,
    durable: true,
    ephemeral: false,
  } as const;
  readonly exclusive = false;
  readonly #database: SimulatedDatabase;
  readonly #process: SimulatedProcess;
  readonly #calls: DatabaseCalls;

  constructor(database: SimulatedDatabase, process: SimulatedProcess, calls: DatabaseCalls) {
    this.#database = database;
    this.#process = process;
    this.#calls = calls;
  }

  async initialize(): Promise<void> {}

  async close(): Promise<void> {}

  health(): TierHealth {
    return this.#calls.hasFailed
      ? { status: "degraded", reason: "it is away" }
      : { status: "ready" };
  }

  usage(): TierUsage {
    const none = { hits: 0, misses: 0, evictions: 0, expirations: 0 };
    return { items: 0, bytes: 0, maxBytes: 0, maxItems: 0, ...none };
  }

  getMany(refs: readonly ItemRef[]): Promise<readonly (ItemRecord | undefined)[]> {
    const sentAtMs = this.#process.monotonicMs();
    return this.#calls.read("getMany", () => {
      const records = refs.map((ref) => this.#record(this.#database.read(ref), sentAtMs));
      this.#calls.trace(
        () =>
          `reads ${refs.map(({ namespace, key }, index) => `${namespace}:${key} v${records[index]?.version}`).join()}`,
      );
      return records;
    });
  }

  newestVersions(known: readonly KnownAsOf[]): Promise<readonly number[]> {
    return this.#calls.read("newestVersions", () =>
      known.map((ref) => this.#database.newestVersion(ref, ref.since)),
    );
  }

  async write(
    operations: readonly WriteOperation[],
    options: WriteOptions = {},
  ): Promise<readonly WriteResult[]> {
    const sentAtMs = this.#process.monotonicMs();
    const answer = await this.#calls.write<readonly WriteResult[] | Error>("write", (done) =>
      this.#database.write(operations, options.atomic === true, done),
    );
    return this.#results(answer, sentAtMs);
  }

  async modify(
    ref: ItemRef,
    decide: (current: ItemRecord | undefined) => WriteOperation | undefined,
  ): Promise<WriteResult | undefined> {
    const sentAtMs = this.#process.monotonicMs();
    const answer = await this.#calls.write<readonly WriteResult[] | Error>("modify", (done) =>
      this.#database.modify(ref, (row) => decide(this.#record(row, sentAtMs)), done),
    );
    return this.#results(answer, sentAtMs)[0];
  }

  takeLease(ref: ItemRef, ttlSeconds: number | undefined): Promise<LeaseAnswer> {
    return harmlessly(
      this.#calls.write<LeaseAnswer>("takeLease", (done) =>
        this.#database.takeLease(ref, ttlSeconds, done),
      ),
    );
  }

  renewLease(ref: ItemRef, token: string, ttlSeconds: number): Promise<boolean> {
    return this.#calls.read("renewLease", () => this.#database.renewLease(ref, token, ttlSeconds));
  }

  releaseLease(ref: ItemRef, token: string): Promise<void> {
    return this.#calls.read("releaseLease", () => this.#database.releaseLease(ref, token));
  }

  clear(namespace: string, below: boolean): Promise<{ readonly version: number }> {
    return this.#calls.write("clear", (done) => this.#database.clear(namespace, below, done));
  }

  async follow(state: FollowState | undefined): Promise<FollowPoll> {
    const sentAtMs = this.#process.monotonicMs();
    const { changes, snapshot, epoch, gap } = await this.#calls.read("follow", () =>
      this.#database.follow(state?.snapshot),
    );
    this.#calls.trace(
      () =>
        `has followed ${state?.snapshot} to ${snapshot} of ${epoch}, gap ${gap}: ${changes.map(({ key, version, op }) => `${op} ${key} v${version}`).join()}`,
    );
    return { changes, state: { snapshot }, epoch, sentAtMs, gap };
  }

  sweep(limit: number): Promise<SweepReport> {
    return this.#calls.read("sweep", () => this.#database.sweep(limit));
  }

  async unfinishedJobs(): Promise<readonly Job[]> {
    return [];
  }

  async refreshUsage(): Promise<void> {}

  /** Asked on the way of a clear: there are no judgments on answers here. */
  search: AuthorityTier["search"] = async ({ namespace }) =>
    namespace.startsWith("\u0001") ? { records: [], nextCursor: undefined } : refuse();
  exportPage = refuse;
  forgetChunk = refuse;
  readChanges: AuthorityTier["readChanges"] = refuse;
  changePosition: AuthorityTier["changePosition"] = refuse;
  loadConsumer = refuse;
  saveConsumer = refuse;
  createJob = refuse;
  readJob = refuse;
  advanceJob = refuse;

  #results(answer: readonly WriteResult[] | Error, sentAtMs: number): readonly WriteResult[] {
    if (answer instanceof Error) throw answer;
    return answer.map((result) => {
      if (result.status !== "written" || result.expiresAtMs === undefined) return result;
      const leftMs = result.expiresAtMs - result.updatedAtMs;
      return { ...result, deadlineMs: sentAtMs + leftMs };
    });
  }

  /** What is left of its life counts from when the query was sent, so that it can only be early. */
  #record(row: Row | undefined, sentAtMs: number): ItemRecord | undefined {
    if (row?.body === undefined) return undefined;
    const leftMs =
      row.expiresAtMs === undefined
        ? Number.POSITIVE_INFINITY
        : row.expiresAtMs - this.#database.wallMs;
    return { ...row, body: row.body, deadlineMs: sentAtMs + leftMs };
  }
}

/** No lease call reports OUTCOME_UNKNOWN: leases are no data. */
async function harmlessly<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof MemoryError && error.code === "OUTCOME_UNKNOWN") throw unavailable();
    throw error;
  }
}

async function refuse(): Promise<never> {
  throw new MemoryError("CAPABILITY_UNAVAILABLE", "the simulated database does not do this");
}
