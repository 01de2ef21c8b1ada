import type pg from "pg";
import { MemoryError } from "../../model/errors.ts";
import { MemoryTier } from "../../model/item.ts";
import { noMetrics } from "../../metrics/metrics.ts";
import { backoffMs } from "../../resilience/backoff.ts";
import { classifyAnswer, needsUnnamed, notWritten, outcomeUnknown, unsent } from "./pg-errors.ts";
import { callOf } from "./database.ts";
import { PgPool } from "./pg-pool.ts";
import { StatementNames } from "./pg-statements.ts";
import { describeTarget, parseTarget } from "./pg-target.ts";
import { Failed, TransactionScope, beginText } from "./pg-transaction.ts";
import { encodeValues } from "./pg-values.ts";
import type { Clock, Random } from "../../model/clock.ts";
import type { Metrics, TierOperation } from "../../metrics/metrics.ts";
import type {
  Call,
  Database,
  LateCall,
  Queryable,
  Row,
  SqlValue,
  Statement,
  TransactionOptions,
} from "./database.ts";
import type { Failure } from "./pg-errors.ts";
import type { Exchange } from "./pg-pool.ts";

export interface PgDatabaseOptions {
  readonly url: string;
  /** Holds the password alone, read for every new connection; the URL then carries none. */
  readonly passwordFile?: string;
  /** Connections of this process: its share of the budget over all servers. */
  readonly poolMax: number;
  readonly connectTimeoutMs?: number;
  /** One statement, from sending to its last row. */
  readonly queryTimeoutMs?: number;
  /** Wait for a connection while all are busy. */
  readonly acquireTimeoutMs?: number;
  /** Calls that may wait for a connection at once. */
  readonly waitersMax?: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly metrics?: Metrics;
  /** The name under which breaker and retries are reported. */
  readonly tier?: MemoryTier;
}

const CONNECT_TIMEOUT_MS = 700;
const QUERY_TIMEOUT_MS = 15_000;
const ACQUIRE_TIMEOUT_MS = 5000;
const WAITERS_MAX = 10_000;
/** A migration may build an index on a large table, and others wait for it. */
const SCRIPT_TIMEOUT_MS = 3_600_000;
const OLDEST_SERVER = 150_000;

const CONFLICT_RETRIES_MAX = 8;
const CONNECTION_RETRIES_MAX = 2;
/** After this long a lost connection is not tried again: the caller must hear within a second. */
const CONNECTION_RETRY_WITHIN_MS = 300;
const RETRY_BACKOFF = { firstMs: 10, maxMs: 250 };

/** Tried again beside the statement itself: what its text was called is not the caller's concern. */
const RENAMES_MAX = 4;

/**
 * PostgreSQL over the network, directly or through a pooler in transaction mode: nothing here relies
 * on the state of a session, and statements lose their names once a pooler turns out not to know them.
 */
export class PgDatabase implements Database {
  readonly exclusive = false;
  readonly #options: PgDatabaseOptions;
  readonly #pool: PgPool;
  readonly #names = new StatementNames();
  readonly #address: string;
  #version = "";

  constructor(options: PgDatabaseOptions) {
    const tier = options.tier ?? MemoryTier.L3_POSTGRESQL;
    const metrics = options.metrics ?? noMetrics;
    const target = parseTarget(options.url);
    this.#options = options;
    this.#address = describeTarget(target);
    this.#pool = new PgPool({
      url: options.url,
      target,
      passwordFile: options.passwordFile,
      connectionsMax: options.poolMax,
      connectTimeoutMs: options.connectTimeoutMs ?? CONNECT_TIMEOUT_MS,
      acquireTimeoutMs: options.acquireTimeoutMs ?? ACQUIRE_TIMEOUT_MS,
      waitersMax: options.waitersMax ?? WAITERS_MAX,
      clock: options.clock,
      random: options.random,
      onBreaker: (state) => metrics.breaker(tier, state),
    });
  }

  get description(): string {
    return `PostgreSQL ${this.#version}${this.#version === "" ? "" : " "}at ${this.#address}`;
  }

  async open(): Promise<void> {
    const [row] = await this.query({
      text: "SELECT current_setting('server_version') AS version, current_setting('server_version_num')::int AS number",
    });
    const version = String(row?.["version"]).split(" ")[0] ?? "";
    if (typeof row?.["number"] === "number" && row["number"] < OLDEST_SERVER) {
      throw new MemoryError(
        "INVALID_CONFIG",
        `PostgreSQL at ${this.#address} is version ${version}; expected 15 or newer`,
        { field: "DATABASE_URL" },
      );
    }
    this.#version = version;
  }

  close(): Promise<void> {
    return this.#pool.close();
  }

  query(statement: Statement | LateCall, values?: readonly SqlValue[]): Promise<readonly Row[]> {
    // Decided by the first attempt that has a connection; later ones repeat it.
    let decided: Call | undefined;
    const decide = (): Call => (decided ??= callOf(statement, values));
    return this.#retrying(false, "get", () => this.#single(decide));
  }

  write(statement: Statement, values?: readonly SqlValue[]): Promise<readonly Row[]> {
    return this.#retrying(true, "set", () => this.#single(() => callOf(statement, values)));
  }

  async script(text: string): Promise<void> {
    await this.#retrying(true, "set", () =>
      this.#onConnection((client) => this.#send(client, { text }, SCRIPT_TIMEOUT_MS)),
    );
  }

  transaction<T>(
    work: (tx: Queryable) => Promise<T>,
    options: TransactionOptions = {},
  ): Promise<T> {
    return this.#retrying(options.readOnly !== true, "batch", () =>
      this.#onConnection((client) => this.#transact(client, work, options)),
    );
  }

  async #single(decide: LateCall): Promise<readonly Row[]> {
    const client = this.#pool.tryAcquire() ?? (await this.#acquire());
    try {
      const { statement, values } = decide();
      const exchange = this.#exchange(statement, values);
      const result = await this.#send(client, exchange, this.#queryTimeoutMs);
      return result.rows as readonly Row[];
    } finally {
      this.#pool.release(client);
    }
  }

  /** One BEGIN … COMMIT. A connection lost before COMMIT was sent surely changed nothing. */
  async #transact<T>(
    client: pg.PoolClient,
    work: (tx: Queryable) => Promise<T>,
    options: TransactionOptions,
  ): Promise<T> {
    await this.#sendUncommitted(client, { text: beginText(options) });
    const scope = new TransactionScope(
      async (statement, values) =>
        (await this.#sendUncommitted(client, this.#exchange(statement, values)))
          .rows as readonly Row[],
      (failure) => notWritten(failure, this.description),
    );
    let result: T;
    try {
      result = await work(scope);
    } catch (error) {
      await scope.end();
      await this.#rollback(client);
      const failure = scope.failure;
      // An error of `work`'s own goes to the caller as it is, unless a retry may mend its cause.
      if (failure === undefined || failure.kind === "refused") throw error;
      throw new Failed(failure);
    }
    await scope.end();
    const committed = await this.#commit(client);
    if (committed.command === "COMMIT") return result;
    // The server rolled back because a statement had failed, though `work` carried on.
    throw new Failed(
      scope.failure ?? {
        kind: "refused",
        cause: new Error("the transaction was rolled back at COMMIT"),
        unavailable: false,
        broken: false,
      },
    );
  }

  /** A failed one ends the connection, and so the transaction: the caller's error matters more. */
  async #rollback(client: pg.PoolClient): Promise<void> {
    await this.#sendUncommitted(client, { text: "ROLLBACK" }).catch(() => {
      this.#pool.condemn(client);
    });
  }

  async #commit(client: pg.PoolClient): Promise<pg.QueryResult> {
    if (this.#pool.isBroken(client)) {
      throw new Failed(unsent(new Error("the connection was lost before COMMIT was sent")));
    }
    try {
      return await this.#send(client, { text: "COMMIT" }, this.#queryTimeoutMs);
    } catch (error) {
      // A pooler's word that it reached no server cannot be about the server of this transaction.
      if (error instanceof Failed && error.failure.kind === "unsent") {
        throw new Failed({ ...error.failure, kind: "lost" });
      }
      throw error;
    }
  }

  /** `lost` becomes `unsent`: what was sent cannot have been committed. */
  async #sendUncommitted(client: pg.PoolClient, exchange: Exchange): Promise<pg.QueryResult> {
    try {
      return await this.#send(client, exchange, this.#queryTimeoutMs);
    } catch (error) {
      if (error instanceof Failed && error.failure.kind === "lost") {
        throw new Failed({ ...error.failure, kind: "unsent" });
      }
      throw error;
    }
  }

  async #send(
    client: pg.PoolClient,
    exchange: Exchange,
    timeoutMs: number,
  ): Promise<pg.QueryResult> {
    try {
      return await this.#pool.exchange(client, exchange, timeoutMs);
    } catch (error) {
      const failure = classifyAnswer(error);
      if (failure.broken) this.#pool.condemn(client);
      if (failure.kind === "unprepared") {
        if (needsUnnamed(failure)) this.#names.goUnnamed();
        else this.#names.renew();
      }
      throw new Failed(failure);
    }
  }

  async #onConnection<T>(work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
    const client = await this.#acquire();
    try {
      return await work(client);
    } finally {
      this.#pool.release(client);
    }
  }

  async #acquire(): Promise<pg.PoolClient> {
    try {
      return await this.#pool.acquire();
    } catch (cause) {
      throw new Failed(unsent(cause));
    }
  }

  #exchange(statement: Statement, values: readonly SqlValue[] | undefined): Exchange {
    const { text } = statement;
    const name = this.#names.nameOf(statement);
    const encoded = values === undefined ? [] : encodeValues(values);
    // The driver copies every field of this, so none is there without need.
    if (name !== undefined) return { name, text, values: encoded };
    return { text, values: encoded, queryMode: "extended" };
  }

  get #queryTimeoutMs(): number {
    return this.#options.queryTimeoutMs ?? QUERY_TIMEOUT_MS;
  }

  /** Runs a whole call again where that is safe, bounded and with jitter; else the MemoryError. */
  async #retrying<T>(
    mayWrite: boolean,
    operation: TierOperation,
    attempt: () => Promise<T>,
  ): Promise<T> {
    const { clock, random } = this.#options;
    const startedMs = clock.monotonicMs();
    const budget = {
      conflict: CONFLICT_RETRIES_MAX,
      connection: CONNECTION_RETRIES_MAX,
      rename: RENAMES_MAX,
    };
    for (let retries = 1; ; retries++) {
      try {
        return await attempt();
      } catch (error) {
        if (!(error instanceof Failed)) throw error;
        const { failure } = error;
        if (failure.kind === "lost" && mayWrite) throw outcomeUnknown(failure, this.description);
        const elapsedMs = clock.monotonicMs() - startedMs;
        const reason = retryReason(failure, elapsedMs);
        if (reason === undefined || budget[reason]-- === 0) {
          throw notWritten(failure, this.description);
        }
        this.#options.metrics?.retry(this.#options.tier ?? MemoryTier.L3_POSTGRESQL, operation);
        if (reason !== "rename") await clock.sleep(backoffMs(retries, RETRY_BACKOFF, random));
      }
    }
  }
}

function retryReason(
  failure: Failure,
  elapsedMs: number,
): "conflict" | "connection" | "rename" | undefined {
  if (failure.kind === "conflict") return "conflict";
  if (failure.kind === "unprepared") return "rename";
  // Ours alone says MemoryError here: a breaker that is open, a pool that is full or closed.
  if (failure.cause instanceof MemoryError) return undefined;
  // The server ended the connection and said so: nothing happened, and the next one may do.
  const ended = failure.unavailable && failure.broken;
  if (failure.kind === "refused" && !ended) return undefined;
  return elapsedMs < CONNECTION_RETRY_WITHIN_MS ? "connection" : undefined;
}
