/**
 * Every code a caller can meet, with whether the same call may succeed later.
 * `docs/reference/errors.md` explains each; `pnpm check` compares the two.
 */
export const ERROR_CODES = {
  /** Input that breaks a rule or limit; nothing was changed. */
  INVALID_ARGUMENT: { retryable: false, status: 400 },
  INVALID_KEY: { retryable: false, status: 400 },
  INVALID_NAMESPACE: { retryable: false, status: 400 },
  INVALID_VALUE: { retryable: false, status: 400 },
  INVALID_METADATA: { retryable: false, status: 400 },
  INVALID_TAGS: { retryable: false, status: 400 },
  INVALID_TTL: { retryable: false, status: 400 },
  INVALID_FILTER: { retryable: false, status: 400 },
  INVALID_PATTERN: { retryable: false, status: 400 },
  INVALID_CURSOR: { retryable: false, status: 400 },
  INVALID_SESSION: { retryable: false, status: 400 },
  INVALID_CONFIG: { retryable: false, status: 400 },
  VALUE_TOO_LARGE: { retryable: false, status: 413 },
  BATCH_TOO_LARGE: { retryable: false, status: 413 },
  EPHEMERAL_NEEDS_L2: { retryable: false, status: 400 },
  DURABILITY_CONFLICT: { retryable: false, status: 409 },
  CAPABILITY_UNAVAILABLE: { retryable: false, status: 501 },
  NOT_FOUND: { retryable: false, status: 404 },
  VERSION_CONFLICT: { retryable: true, status: 412 },
  BATCH_ABORTED: { retryable: true, status: 409 },
  IDEMPOTENCY_MISMATCH: { retryable: false, status: 422 },
  CURSOR_EXPIRED: { retryable: false, status: 410 },
  /** The item exists but cannot be read back intact. Never returned as a value. */
  CORRUPT_VALUE: { retryable: false, status: 500 },
  UNKNOWN_ENCRYPTION_KEY: { retryable: false, status: 500 },
  /** Surely not written. */
  STORE_UNAVAILABLE: { retryable: true, status: 503 },
  /** May or may not have been written. Read `latest` before deciding. */
  OUTCOME_UNKNOWN: { retryable: false, status: 503 },
  DEADLINE_EXCEEDED: { retryable: true, status: 503 },
  /** Another process holds the storage folder. */
  STORAGE_LOCKED: { retryable: true, status: 503 },
  /** The model or endpoint that makes vectors did not answer, or not with vectors. */
  EMBEDDING_UNAVAILABLE: { retryable: true, status: 503 },
  /** What it answered is not what was asked for: another count, dimension, or no numbers. */
  EMBEDDING_INVALID: { retryable: true, status: 502 },
  /** It will not take these texts. */
  EMBEDDING_REFUSED: { retryable: false, status: 422 },
  /** Nothing more is embedded before midnight UTC. */
  EMBEDDING_BUDGET_SPENT: { retryable: true, status: 503 },
  CLOSED: { retryable: false, status: 503 },
  NOT_INITIALIZED: { retryable: false, status: 503 },
  INTERNAL: { retryable: false, status: 500 },
} as const;

export type ErrorCode = keyof typeof ERROR_CODES;

export interface MemoryErrorOptions {
  readonly cause?: unknown;
  /** The input field that was wrong, such as `metadataFilter.$and[2].age`. */
  readonly field?: string;
}

/**
 * The one error class of the library. The message says what was wrong, what was expected and what
 * to do; `code` is stable; `retryable` tells whether the same call may succeed later.
 */
export class MemoryError extends Error {
  override readonly name: string = "MemoryError";
  readonly code: ErrorCode;
  readonly retryable: boolean;
  readonly field: string | undefined;

  constructor(code: ErrorCode, message: string, options: MemoryErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.retryable = ERROR_CODES[code].retryable;
    this.field = options.field;
  }
}

/** What a failed condition was judged against; null = no live item. */
export interface ConflictState {
  readonly version: string;
}

/** A condition (`ifVersion`, `compareAndSet`) did not hold. Nothing was written. */
export class VersionConflict extends MemoryError {
  override readonly name = "VersionConflict";
  readonly current: ConflictState | null;

  constructor(key: string, expected: string, current: ConflictState | null) {
    super(
      "VERSION_CONFLICT",
      `item ${JSON.stringify(key)}: expected ${expected}, found ${current === null ? "no item" : `version ${current.version}`}; read it again and retry`,
    );
    this.current = current;
  }
}

/** An atomic batch was rolled back because the operation at `index` failed. */
export class BatchAborted extends MemoryError {
  override readonly name = "BatchAborted";
  readonly index: number;

  constructor(index: number, reason: MemoryError) {
    super(
      "BATCH_ABORTED",
      `operation ${index} failed, so none of the batch was applied: ${reason.message}`,
      { cause: reason },
    );
    this.index = index;
  }
}

export function isMemoryError(error: unknown): error is MemoryError {
  return error instanceof MemoryError;
}

/** Any thrown thing as a MemoryError: foreign ones become INTERNAL with the cause kept. */
export function toMemoryError(error: unknown): MemoryError {
  if (isMemoryError(error)) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new MemoryError("INTERNAL", message, { cause: error });
}
