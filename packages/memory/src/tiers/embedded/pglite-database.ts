import { resolve } from "node:path";
import pg from "pg";
import { MemoryError } from "../../model/errors.ts";
import { backoffMs } from "../../resilience/backoff.ts";
import { callOf } from "../postgres/database.ts";
import { classifyAnswer, isConflict, notWritten } from "../postgres/pg-errors.ts";
import { Failed, TransactionScope, beginText } from "../postgres/pg-transaction.ts";
import { lockFolder } from "./folder-lock.ts";
import { Housekeeping } from "./housekeeping.ts";
import { startEngine } from "./pglite-engine.ts";
import { finishFolder, folderError, makeFolder, prepareFolder } from "./pglite-folder.ts";
import { EngineFailure, PgliteSession } from "./pglite-session.ts";
import { Turns } from "./turns.ts";
import type { Clock, Random } from "../../model/clock.ts";
import type { Metrics } from "../../metrics/metrics.ts";
import type {
  Database,
  LateCall,
  Queryable,
  Row,
  SqlValue,
  Statement,
  TransactionOptions,
} from "../postgres/database.ts";
import type { FolderLock } from "./folder-lock.ts";
import type { Engine } from "./pglite-engine.ts";

export interface PgliteDatabaseOptions {
  /** ":memory:" keeps nothing. */
  readonly folder: string;
  /** Safe against the loss of power, not only of the process. Default true. */
  readonly fsync?: boolean;
  readonly clock: Clock;
  readonly random: Random;
  readonly metrics?: Metrics;
}

/** What is there while the database is open. */
interface Opened extends Engine {
  readonly session: PgliteSession;
  readonly housekeeping: Housekeeping;
  readonly lock: FolderLock | undefined;
  /** A first start's files are on the disk. Nothing is acknowledged before. */
  whole: Promise<void> | undefined;
}

const CONFLICT_RETRIES_MAX = 8;
const RETRY_BACKOFF = { firstMs: 10, maxMs: 250 };

const IN_MEMORY = ":memory:";

/**
 * PostgreSQL inside this process, its files in a folder that no other process may open.
 *
 * What survives what, with `fsync` on (see DurableFiles): every acknowledged write survives the death
 * of the process and the loss of power, on a disk that keeps what it has confirmed. A write that is
 * not acknowledged yet may be seen by reads of this process, and be gone after a loss of power.
 * With `fsync` off the death of the process loses nothing that was acknowledged; a loss of power may
 * lose the last seconds and, when it falls into a checkpoint, damage the files: PostgreSQL's checksums
 * then tell at the next start or read, and only a backup helps.
 */
export class PgliteDatabase implements Database {
  readonly exclusive = true;
  readonly description: string;
  readonly #folder: string | undefined;
  readonly #fsync: boolean;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #turns = new Turns();
  #opening: Promise<Opened> | undefined;
  #opened: Opened | undefined;
  #closing: Promise<void> | undefined;
  /** Set when the engine cannot be used any more. */
  #failure: unknown;

  constructor(options: PgliteDatabaseOptions) {
    const inMemory = options.folder === IN_MEMORY;
    this.#folder = inMemory ? undefined : resolve(options.folder);
    this.#fsync = options.fsync ?? true;
    this.#clock = options.clock;
    this.#random = options.random;
    this.description = inMemory
      ? "embedded PostgreSQL in memory"
      : `embedded PostgreSQL in ${this.#folder}`;
  }

  async open(): Promise<void> {
    this.#opening ??= this.#open();
    try {
      this.#opened = await this.#opening;
    } catch (error) {
      this.#opening = undefined;
      throw error;
    }
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  query(statement: Statement | LateCall, values?: readonly SqlValue[]): Promise<readonly Row[]> {
    return this.#inTurn((opened) => {
      const call = callOf(statement, values);
      return opened.session.run(call.statement, call.values);
    });
  }

  async write(statement: Statement, values?: readonly SqlValue[]): Promise<readonly Row[]> {
    const rows = await this.#retrying((opened) => opened.session.run(statement, values));
    await this.#settle(values);
    return rows;
  }

  async script(text: string): Promise<void> {
    await this.#retrying((opened) => opened.session.script(text));
    await this.#settle();
  }

  async transaction<T>(
    work: (tx: Queryable) => Promise<T>,
    options: TransactionOptions = {},
  ): Promise<T> {
    const result = await this.#retrying((opened) => this.#transact(opened, work, options));
    await this.#settle();
    return result;
  }

  /** Nobody else is here to conflict with, but a function may ask to be run again all the same. */
  async #retrying<T>(work: (opened: Opened) => Promise<T>): Promise<T> {
    for (let retries = 1; ; retries++) {
      try {
        return await this.#inTurn(work, { mayWrite: true });
      } catch (error) {
        if (!isConflict(error) || retries > CONFLICT_RETRIES_MAX) throw error;
        await this.#clock.sleep(backoffMs(retries, RETRY_BACKOFF, this.#random));
      }
    }
  }

  async #transact<T>(
    opened: Opened,
    work: (tx: Queryable) => Promise<T>,
    options: TransactionOptions,
  ): Promise<T> {
    const { session } = opened;
    await session.control(beginText(options));
    const scope = new TransactionScope(
      async (statement, values) => {
        try {
          return await session.run(statement, values);
        } catch (error) {
          if (error instanceof EngineFailure) throw error;
          throw new Failed(classifyAnswer(error));
        }
      },
      (failure) => notWritten(failure, this.description),
    );
    let result: T;
    try {
      result = await work(scope);
    } catch (error) {
      await scope.end();
      await session.control("ROLLBACK");
      throw error;
    }
    await scope.end();
    const tag = await session.control("COMMIT");
    if (tag === "COMMIT") return result;
    // The server rolled back because a statement had failed, though `work` carried on.
    throw scope.failure === undefined
      ? new MemoryError("INTERNAL", `${this.description} rolled a transaction back at COMMIT`)
      : notWritten(scope.failure, this.description);
  }

  /**
   * Runs `work` alone. While the turn is free it starts at once and, a single statement being
   * synchronous inside the engine, is over before another call can begin.
   */
  async #inTurn<T>(
    work: (opened: Opened) => Promise<T>,
    { mayWrite = false }: { readonly mayWrite?: boolean } = {},
  ): Promise<T> {
    if (!this.#turns.tryTake()) await this.#turns.take();
    try {
      return await work(this.#checkOpen());
    } catch (error) {
      throw this.#translate(error, mayWrite);
    } finally {
      this.#turns.give();
    }
  }

  /** Before a write is acknowledged: its log to the disk. Then what is due of the upkeep. */
  async #settle(values?: readonly SqlValue[]): Promise<void> {
    const opened = this.#opened;
    if (opened === undefined) return;
    try {
      if (opened.whole !== undefined) await opened.whole;
      await opened.files?.flush();
    } catch (error) {
      this.#failure ??= error;
      throw this.#translate(new EngineFailure(error), true);
    }
    if (!opened.housekeeping.isDue(values) || !this.#turns.tryTake()) return;
    try {
      await opened.housekeeping.run();
    } catch (error) {
      if (error instanceof EngineFailure) this.#failure ??= error;
    } finally {
      this.#turns.give();
    }
  }

  #checkOpen(): Opened {
    if (this.#closing !== undefined) {
      throw new MemoryError("CLOSED", `the ${this.description} was closed`);
    }
    if (this.#failure !== undefined) {
      throw new MemoryError(
        "STORE_UNAVAILABLE",
        `the ${this.description} stopped after an error, and nothing was written; restart the process`,
        { cause: this.#failure },
      );
    }
    if (this.#opened === undefined) {
      throw new MemoryError("NOT_INITIALIZED", `the ${this.description} is not open; call open()`);
    }
    return this.#opened;
  }

  #translate(error: unknown, mayWrite: boolean): unknown {
    if (error instanceof pg.DatabaseError) {
      return notWritten(classifyAnswer(error), this.description);
    }
    if (!(error instanceof EngineFailure)) return error;
    this.#failure ??= error;
    return mayWrite
      ? new MemoryError(
          "OUTCOME_UNKNOWN",
          `the ${this.description} broke off during a write, which may or may not have been applied; restart the process and read the latest state`,
          { cause: error },
        )
      : new MemoryError(
          "STORE_UNAVAILABLE",
          `the ${this.description} broke off; restart the process`,
          {
            cause: error,
          },
        );
  }

  async #open(): Promise<Opened> {
    if (this.#folder === undefined) return this.#start(undefined, undefined);
    makeFolder(this.#folder);
    const lock = await lockFolder(this.#folder);
    try {
      const { data, isNew } = prepareFolder(this.#folder);
      const opened = await this.#start(data, lock);
      if (isNew) {
        await opened.session.control("CHECKPOINT");
        // Goes on while the caller prepares its tables.
        opened.whole = finishFolder(this.#folder, this.#fsync);
        opened.whole.then(
          () => {
            opened.whole = undefined;
          },
          () => {},
        );
      }
      return opened;
    } catch (error) {
      lock.release();
      if (error instanceof MemoryError) throw error;
      const text = error instanceof Error ? error.message : String(error);
      throw folderError(this.#folder, `its database does not start (${text})`, error);
    }
  }

  async #start(data: string | undefined, lock: FolderLock | undefined): Promise<Opened> {
    const engine = await startEngine(data, this.#fsync);
    if (engine.files !== undefined) engine.files.deferring = true;
    const session = new PgliteSession(engine.database);
    return { ...engine, session, housekeeping: new Housekeeping(session), lock, whole: undefined };
  }

  async #close(): Promise<void> {
    // Calls under way go first; those that come later find it closed.
    await this.#turns.take();
    try {
      const opened = await this.#opening?.catch(() => undefined);
      if (opened === undefined) return;
      await opened.whole;
      if (opened.files !== undefined) opened.files.deferring = false;
      if (this.#failure === undefined) await opened.database.close();
      opened.lock?.release();
    } finally {
      this.#opened = undefined;
      this.#turns.give();
    }
  }
}
