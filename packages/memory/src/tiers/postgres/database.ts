/** A value bound to `$n`. Arrays bind to PostgreSQL arrays; byte arrays to bytea. */
export type SqlValue =
  | string
  | number
  | boolean
  | bigint
  | null
  | Uint8Array
  | readonly (string | null)[]
  | readonly (number | null)[]
  | readonly (boolean | null)[]
  | readonly (Uint8Array | null)[];

/** One statement. `name` makes it a prepared statement, so one name must always carry one text. */
export interface Statement {
  readonly name?: string;
  readonly text: string;
}

/**
 * Rows as the driver gives them. Fixed by both drivers: bytea → Uint8Array, int2/int4/float8 → number,
 * int8 → number (all of ours are below 2^53), jsonb → parsed, text[] → string[], bool → boolean,
 * xid8, pg_snapshot, timestamptz → string (select epoch milliseconds as float8 or int8 instead).
 */
export type Row = { readonly [column: string]: unknown };

export interface Queryable {
  query(statement: Statement, values?: readonly SqlValue[]): Promise<readonly Row[]>;
}

/** A statement with the values bound to it. */
export interface Call {
  readonly statement: Statement;
  readonly values?: readonly SqlValue[];
}

/**
 * Decides what to send only when there is a connection to send it on, so that what comes up during
 * the wait can go with it. Asked once a call, and never when the call fails before it is sent.
 */
export type LateCall = () => Call;

export interface TransactionOptions {
  readonly isolation?: "read committed" | "repeatable read" | "serializable";
  readonly readOnly?: boolean;
}

/**
 * A PostgreSQL that may be a server (through PgBouncer in transaction mode too) or embedded.
 *
 * Errors are MemoryErrors. STORE_UNAVAILABLE: the statement or transaction surely changed nothing.
 * OUTCOME_UNKNOWN: a write was sent and its answer never came. Callers mark what can change data:
 * `query` is for reads and never reports OUTCOME_UNKNOWN; `write` is one autocommitted statement
 * that changes data. Serialization failures and deadlocks (40001, 40P01) are retried whole, bounded,
 * with jitter; other PostgreSQL errors come as INTERNAL with the driver's error as cause.
 */
export interface Database extends Queryable {
  query(statement: Statement | LateCall, values?: readonly SqlValue[]): Promise<readonly Row[]>;
  write(statement: Statement, values?: readonly SqlValue[]): Promise<readonly Row[]>;
  /** `work` may run more than once; it must have no effect outside the database. */
  transaction<T>(work: (tx: Queryable) => Promise<T>, options?: TransactionOptions): Promise<T>;
  /** Several statements in one string, for migrations. */
  script(text: string): Promise<void>;
  /** True when this process is the only one that can open the data. */
  readonly exclusive: boolean;
  /** Shown to people: `PostgreSQL 15.8 at db:5432/cherry` or the storage folder; no secret. */
  readonly description: string;
  open(): Promise<void>;
  close(): Promise<void>;
}

/** A call that can be sent now. */
export function callOf(statement: Statement | LateCall, values?: readonly SqlValue[]): Call {
  if (typeof statement === "function") return statement();
  return values === undefined ? { statement } : { statement, values };
}
