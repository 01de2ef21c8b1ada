/**
 * The shapes that travel over HTTP: requests, responses and errors. Plain types and one constant;
 * it loads nothing, so a browser, a server and a test can all share it.
 */
export type * from "./recall-contract.ts";

export type JsonValue =
  string | number | boolean | null | readonly JsonValue[] | { readonly [name: string]: JsonValue };

export type JsonObject = { readonly [name: string]: JsonValue };

/** Fastest first: CPU cache, process memory, shared memory, PostgreSQL, vectors. */
export type TierName = "l0" | "l1" | "l2" | "l3" | "l4";

export type Durability = "durable" | "ephemeral";

/**
 * "any" may use a copy within the server's bound; "session" (default) besides shows nothing older than
 * the session has seen; "latest" sees every write acknowledged before the read began.
 */
export type Consistency = "any" | "session" | "latest";

/** Every `code` of an error response, with its HTTP status. */
export const PROBLEM_STATUS = {
  INVALID_ARGUMENT: 400,
  INVALID_KEY: 400,
  INVALID_NAMESPACE: 400,
  INVALID_VALUE: 400,
  INVALID_METADATA: 400,
  INVALID_TAGS: 400,
  INVALID_TTL: 400,
  INVALID_FILTER: 400,
  INVALID_PATTERN: 400,
  INVALID_CURSOR: 400,
  INVALID_SESSION: 400,
  INVALID_CONFIG: 400,
  INVALID_JSON: 400,
  EPHEMERAL_NEEDS_L2: 400,
  UNAUTHENTICATED: 401,
  FORBIDDEN: 403,
  NOT_FOUND: 404,
  ROUTE_NOT_FOUND: 404,
  METHOD_NOT_ALLOWED: 405,
  REQUEST_TIMEOUT: 408,
  DURABILITY_CONFLICT: 409,
  BATCH_ABORTED: 409,
  CURSOR_EXPIRED: 410,
  VERSION_CONFLICT: 412,
  VALUE_TOO_LARGE: 413,
  BATCH_TOO_LARGE: 413,
  BODY_TOO_LARGE: 413,
  UNSUPPORTED_MEDIA_TYPE: 415,
  IDEMPOTENCY_MISMATCH: 422,
  EMBEDDING_REFUSED: 422,
  HEADERS_TOO_LARGE: 431,
  INTERNAL: 500,
  CORRUPT_VALUE: 500,
  UNKNOWN_ENCRYPTION_KEY: 500,
  CAPABILITY_UNAVAILABLE: 501,
  EMBEDDING_INVALID: 502,
  STORE_UNAVAILABLE: 503,
  EMBEDDING_UNAVAILABLE: 503,
  EMBEDDING_BUDGET_SPENT: 503,
  OUTCOME_UNKNOWN: 503,
  DEADLINE_EXCEEDED: 503,
  STORAGE_LOCKED: 503,
  CLOSED: 503,
  NOT_INITIALIZED: 503,
  TOO_MANY_STREAMS: 503,
  AUTH_UNAVAILABLE: 503,
} as const;

export type ProblemCode = keyof typeof PROBLEM_STATUS;

/** An error response (RFC 9457), `application/problem+json`. */
export interface Problem {
  /** A URI that names the kind of problem; the code in another dress. */
  readonly type: string;
  readonly title: string;
  readonly status: number;
  /** What was wrong, what was expected, what to do. */
  readonly detail: string;
  readonly code: ProblemCode;
  /** Whether the same request may succeed later. */
  readonly retryable: boolean;
  /** The input that was wrong, such as `metadataFilter.$and[2].age`. */
  readonly field?: string;
  /** Find this in the server's log. */
  readonly requestId: string;
  /** VERSION_CONFLICT: the version that is there; null = no live item. */
  readonly currentVersion?: string | null;
  /** BATCH_ABORTED: the operation that failed. */
  readonly index?: number;
}

export interface Item<T = JsonValue> {
  readonly namespace: string;
  readonly key: string;
  readonly value: T;
  readonly metadata: JsonObject;
  readonly tags: readonly string[];
  /** The tier that served it. */
  readonly tier: TierName;
  /** Decimal string; comparable within one key only. */
  readonly version: string;
  readonly createdAt: string;
  readonly updatedAt: string;
  /** The server's estimates. */
  readonly accessedAt: string;
  readonly accessCount: number;
  readonly sizeBytes: number;
  readonly ttlSeconds?: number;
  readonly expiresAt?: string;
  readonly checksum: string;
  /** Of a search with a query: how well it answers; comparable within one search only. */
  readonly score?: number;
}

export type TierOutcome = "stored" | "pending" | "skipped" | "failed";

export interface Receipt {
  readonly key: string;
  readonly version: string;
  readonly tiers: { readonly [tier in TierName]?: TierOutcome };
}

export interface DeleteReceipt extends Receipt {
  readonly existed: boolean;
}

/** What an item is stored with, beside its value. */
export interface ItemAttributes {
  readonly metadata?: JsonObject;
  readonly tags?: readonly string[];
  readonly ttlSeconds?: number;
  readonly tierHint?: TierName;
  readonly durability?: Durability;
  readonly text?: string;
  readonly index?: boolean;
  readonly embed?: boolean;
}

/** Body of `PUT …/items/{key}`. */
export interface PutRequest extends ItemAttributes {
  readonly value: unknown;
}

export type BatchOperation =
  | ({
      readonly type: "set";
      readonly key: string;
      readonly value: unknown;
      readonly ifVersion?: string | null;
    } & ItemAttributes)
  | { readonly type: "get"; readonly key: string }
  | { readonly type: "exists"; readonly key: string }
  | { readonly type: "delete"; readonly key: string; readonly ifVersion?: string }
  | {
      readonly type: "touch";
      readonly key: string;
      readonly ttlSeconds?: number;
      readonly ifVersion?: string;
    };

/** Body of `POST …/batch`. */
export interface BatchRequest {
  readonly operations: readonly BatchOperation[];
  readonly atomic?: boolean;
}

export interface BatchResult {
  readonly type: BatchOperation["type"];
  readonly key: string;
  readonly success: boolean;
  readonly found: boolean;
  readonly value?: JsonValue;
  readonly version?: string;
  readonly existed?: boolean;
  readonly error?: { readonly code: string; readonly message: string; readonly retryable: boolean };
  readonly latencyMs: number;
  readonly tierAccessed: TierName | null;
}

export interface BatchResponse {
  readonly results: readonly BatchResult[];
}

/** A metadata filter: `{ field: value }`, `{ field: { $gt: 1 } }`, `$and`, `$or`, `$not`. */
export type MetadataFilter = { readonly [name: string]: unknown };

export type SearchMode = "keyword" | "semantic" | "hybrid";

/** Body of `POST …/search`. */
export interface SearchRequest {
  readonly pattern?: string;
  readonly metadataFilter?: MetadataFilter;
  readonly tags?: readonly string[];
  readonly query?: string;
  readonly mode?: SearchMode;
  readonly limit?: number;
  readonly cursor?: string;
  readonly explain?: boolean;
  readonly below?: boolean;
}

export interface SearchPlan {
  readonly access: string;
  readonly residual: readonly string[];
  readonly bounded: boolean;
  readonly sql: string;
}

/** How the items of a query were found, and what each signal gave them. */
export interface QueryPlan {
  readonly access: string;
  readonly residual: readonly string[];
  readonly items: readonly {
    readonly namespace: string;
    readonly key: string;
    readonly score: number;
    readonly words: { readonly [term: string]: number };
  }[];
  readonly [more: string]: unknown;
}

export interface SearchResponse {
  readonly items: readonly Item[];
  readonly nextCursor?: string;
  readonly explain?: SearchPlan | QueryPlan;
  /** What this page may lack: the index was further behind than a search reads itself. */
  readonly indexLag?: {
    readonly changes: number;
    readonly seconds: number;
    readonly rebuilding?: true;
  };
}

/** Body of `POST …/forget`. */
export interface ForgetRequest {
  readonly keys?: readonly string[];
  readonly pattern?: string;
  readonly metadataFilter?: MetadataFilter;
  readonly tags?: readonly string[];
  readonly below?: boolean;
  readonly dryRun?: boolean;
}

export interface ForgetReceipt {
  readonly forgotten: number;
  readonly dryRun: boolean;
  readonly places: { readonly [place: string]: "removed" | "none" | "pending" };
  /** The selection is large: follow the job. */
  readonly job?: string;
}

/** Answer of `GET …/jobs/{id}`. */
export interface Job {
  readonly id: string;
  readonly namespace: string;
  readonly kind: "forget";
  readonly state: "running" | "done" | "failed";
  readonly forgotten: number;
  readonly createdAt: string;
  readonly updatedAt: string;
  readonly error?: string;
}

/** One line of an export; an import accepts the same. */
export interface ExportLine {
  readonly namespace?: string;
  readonly key: string;
  readonly value: JsonValue;
  readonly metadata?: JsonObject;
  readonly tags?: readonly string[];
  readonly text?: string;
  readonly index?: boolean;
  readonly embed?: boolean;
  readonly expiresAt?: string;
  readonly version?: string;
  readonly createdAt?: string;
  readonly updatedAt?: string;
}

export interface ImportReceipt {
  readonly imported: number;
  readonly lines: number;
  readonly failed: readonly { readonly line: number; readonly code: string }[];
}

/** One event of `GET …/changes`. */
export interface ChangeEvent {
  /** Where to go on from; give it as `after`. */
  readonly position: string;
  readonly namespace: string;
  readonly key: string;
  readonly version: string;
  readonly op: "put" | "remove" | "touch" | "expire" | "clear";
  /** Only on a clear, whose key is "": whether all namespaces below were emptied too. */
  readonly below?: boolean;
  readonly at: string;
}

export interface TierReport {
  readonly tier: TierName;
  readonly status: "ready" | "degraded" | "off" | "closed";
  readonly reason?: string;
  /** What is unwise about how it is set up, and the remedy; it works all the same. */
  readonly warning?: string;
  readonly usage?: { readonly [figure: string]: number };
}

export interface Stats {
  readonly uptimeSeconds: number;
  readonly status: "ready" | "degraded" | "starting" | "closed";
  readonly tiers: readonly TierReport[];
  readonly maxStalenessMs: number;
  readonly moves: { readonly promoted: number; readonly demoted: number };
}

export interface OptimizeReport {
  readonly promoted: number;
  readonly demoted: number;
  readonly swept: number;
}

export interface Explanation {
  readonly key: string;
  readonly namespace: string;
  readonly tiers: readonly {
    readonly tier: TierName;
    readonly present: boolean;
    readonly version?: string;
    readonly sizeBytes?: number;
    readonly reason: string;
    readonly ttlSeconds?: number;
  }[];
  readonly accessCount: number;
  readonly accessedAt?: string;
  readonly moves: readonly {
    readonly at: string;
    readonly from: TierName;
    readonly to: TierName;
    readonly reason: string;
  }[];
  readonly coherence: { readonly valid: boolean; readonly validForMs: number | null };
}

/** Body of `/readyz` and `/health`. */
export interface Health {
  readonly status: "starting" | "ready" | "degraded" | "draining";
  readonly tiers: readonly TierReport[];
}
