import { MemoryError } from "../../model/errors.ts";
import type { Queryable, Row, SqlValue, Statement, TransactionOptions } from "./database.ts";
import type { Failure } from "./pg-errors.ts";

/** Sends one statement on the transaction's connection; rejects with a `Failed`. */
export type Send = (statement: Statement, values?: readonly SqlValue[]) => Promise<readonly Row[]>;

/** Carries what an exchange proved through code that only knows errors. */
export class Failed extends Error {
  readonly failure: Failure;

  constructor(failure: Failure) {
    super("a database exchange failed", { cause: failure.cause });
    this.failure = failure;
  }
}

/** The statement that opens a transaction, in one round trip with all its properties. */
export function beginText(options: TransactionOptions): string {
  const isolation =
    options.isolation === undefined ? "" : ` ISOLATION LEVEL ${options.isolation.toUpperCase()}`;
  return `BEGIN${isolation}${options.readOnly === true ? " READ ONLY" : ""}`;
}

/**
 * What `work` sees of a transaction. Statements go one at a time, and none after its end: a late
 * one would run in whatever the connection does next.
 */
export class TransactionScope implements Queryable {
  readonly #send: Send;
  readonly #describe: (failure: Failure) => MemoryError;
  #tail: Promise<unknown> = Promise.resolve();
  #ended = false;
  /** The first failure; it decides about the transaction even where `work` caught the error. */
  failure: Failure | undefined;

  constructor(send: Send, describe: (failure: Failure) => MemoryError) {
    this.#send = send;
    this.#describe = describe;
  }

  query(statement: Statement, values?: readonly SqlValue[]): Promise<readonly Row[]> {
    const result = this.#tail.then(() => this.#run(statement, values));
    this.#tail = result.catch(() => {});
    return result;
  }

  /** No further statement is taken; resolves when those under way have ended. */
  async end(): Promise<void> {
    this.#ended = true;
    await this.#tail;
  }

  async #run(
    statement: Statement,
    values: readonly SqlValue[] | undefined,
  ): Promise<readonly Row[]> {
    if (this.#ended) {
      throw new MemoryError("INTERNAL", "a statement came after the end of its transaction");
    }
    try {
      return await this.#send(statement, values);
    } catch (error) {
      if (!(error instanceof Failed)) throw error;
      this.failure ??= error.failure;
      throw this.#describe(error.failure);
    }
  }
}
