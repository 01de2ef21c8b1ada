import pg from "pg";
import { MemoryError } from "../../model/errors.ts";

/**
 * What a failed exchange with the server proves.
 *
 * unsent: the statement never left us. lost: it left, and no answer came. conflict: rolled back
 * because of another transaction. unprepared: refused before execution because the prepared
 * statement was not there. refused: the server answered with an error, so nothing was changed.
 */
export type FailureKind = "unsent" | "lost" | "conflict" | "unprepared" | "refused";

export interface Failure {
  readonly kind: FailureKind;
  readonly cause: unknown;
  /** The same call may succeed later, on this server or on the one that takes over. */
  readonly unavailable: boolean;
  /** The connection must not be used again. */
  readonly broken: boolean;
}

const CONFLICTS = new Set(["40001", "40P01"]);
const UNPREPARED = new Set(["26000", "42P05"]);
const FEATURE_NOT_SUPPORTED = "0A000";
const COMPLETION_UNKNOWN = "40003";
/** A page or an index failed its checks. */
const CORRUPTED = new Set(["XX001", "XX002"]);
const READ_ONLY = "25006";

/**
 * The server is there but cannot serve now. 53: out of connections, disk or memory. 57014: cancelled.
 * 57P01 to 57P05: shutting down, starting up, idle session ended. 25P03: idle transaction ended.
 * 25006: a standby took over this address. 28 and 3D000: no such role, password or database (yet).
 * 58030: the server's disk failed.
 *
 * A FATAL 57P01 while a statement runs proves that it did not commit: between the commit and
 * ReadyForQuery PostgreSQL looks at no interrupt, and a shutdown that breaks off the wait for a
 * synchronous standby sends a WARNING and closes without an answer, which is `lost` here.
 */
const UNAVAILABLE = /^(53...|57014|57P0[1-5]|25P03|25006|28...|3D000|58030)$/;

/**
 * PgBouncer speaks for itself with 08P01, also when it lost the server in the middle of a statement.
 * Only these say that no server connection had been given to the client, so that nothing was sent on.
 */
const POOLER_UNSENT =
  /query_wait_timeout|cannot connect to server|server login has been failing|server_login_retry|no more connections allowed|login failed|pgbouncer database is (disabled|paused)|the database system is/i;

function isServerError(error: unknown): error is pg.DatabaseError {
  return error instanceof pg.DatabaseError;
}

/** The SQLSTATE of a driver error, or of the driver error that a MemoryError was made from. */
export function sqlState(error: unknown): string | undefined {
  if (isServerError(error)) return error.code;
  if (error instanceof MemoryError) return sqlState(error.cause);
  if (error instanceof Error && "code" in error && typeof error.code === "string") {
    return /^[0-9A-Z]{5}$/.test(error.code) ? error.code : undefined;
  }
  return undefined;
}

/** What an error proves that came after the statement was handed to a connection. */
export function classifyAnswer(error: unknown): Failure {
  if (!isServerError(error)) return { kind: "lost", cause: error, unavailable: true, broken: true };
  const code = error.code ?? "";
  const fatal = error.severity === "FATAL" || error.severity === "PANIC";
  const failure = (kind: FailureKind, unavailable: boolean, broken = fatal): Failure => ({
    kind,
    cause: error,
    unavailable,
    broken,
  });
  if (CONFLICTS.has(code)) return failure("conflict", true);
  if (UNPREPARED.has(code)) return failure("unprepared", true);
  // Another server's migration changed what the statement returns.
  if (code === FEATURE_NOT_SUPPORTED && /cached plan/.test(error.message)) {
    return failure("unprepared", true);
  }
  if (code.startsWith("08")) {
    return failure(POOLER_UNSENT.test(error.message) ? "unsent" : "lost", true, true);
  }
  if (code === COMPLETION_UNKNOWN) return failure("lost", true, true);
  if (UNAVAILABLE.test(code)) return failure("refused", true, fatal || code === READ_ONLY);
  return failure("refused", false);
}

/** True when the transaction was rolled back for another's sake, and may well succeed if run again. */
export function isConflict(error: unknown): boolean {
  return CONFLICTS.has(sqlState(error) ?? "");
}

/** What an error proves that came while a connection was sought: nothing was sent. */
export function unsent(cause: unknown): Failure {
  return { kind: "unsent", cause, unavailable: true, broken: true };
}

/** True when prepared statements cannot be used at all; otherwise only this plan has gone stale. */
export function needsUnnamed(failure: Failure): boolean {
  return UNPREPARED.has(sqlState(failure.cause) ?? "");
}

function reason(cause: unknown): string {
  if (cause instanceof AggregateError && cause.errors.length > 0) return reason(cause.errors[0]);
  const text = cause instanceof Error ? cause.message : String(cause);
  const code = sqlState(cause);
  return code === undefined ? text : `${text} (SQLSTATE ${code})`;
}

/** The MemoryError of a failure that surely changed nothing. */
export function notWritten(failure: Failure, where: string): MemoryError {
  const { cause } = failure;
  if (cause instanceof MemoryError) return cause;
  if (CORRUPTED.has(sqlState(cause) ?? "")) {
    return new MemoryError(
      "CORRUPT_VALUE",
      `${where} found its files damaged: ${reason(cause)}; restore from a backup`,
      { cause },
    );
  }
  if (failure.unavailable) {
    return new MemoryError(
      "STORE_UNAVAILABLE",
      `${where} could not serve the call, and nothing was written: ${reason(cause)}; retry later`,
      { cause },
    );
  }
  return new MemoryError("INTERNAL", `${where} refused a statement: ${reason(cause)}`, { cause });
}

/** The MemoryError of a write whose answer never came. */
export function outcomeUnknown(failure: Failure, where: string): MemoryError {
  return new MemoryError(
    "OUTCOME_UNKNOWN",
    `the connection to ${where} was lost after a write was sent, so it may or may not have been applied: ${reason(failure.cause)}; read the latest state before deciding`,
    { cause: failure.cause },
  );
}
