import type { MetadataFilter } from "../model/filter.ts";
import type {
  DeleteReceipt,
  Durability,
  JsonObject,
  JsonValue,
  MemoryItem,
  MemoryTier,
  Receipt,
} from "../model/item.ts";
import type { Change, Job, SearchPlan } from "../tiers/authority.ts";
import type { IndexLag } from "../tiers/keyword.ts";
import type { Recalling } from "./recall/memories.ts";
import type { TierCapabilities, TierHealth, TierUsage } from "../tiers/tier.ts";

/**
 * "any": within the staleness bound. "session": besides, nothing older than what the session has seen
 * or written, on any server; the same as "any" without a session. "latest": from the authority, sees
 * every write acknowledged before the read began. Default: "session".
 */
export type Consistency = "any" | "session" | "latest";

/** Read on with the session that gave this token; `memory.session(token)` also moves it on. */
export interface SessionOption {
  readonly session?: string;
}

export interface ReadOptions extends SessionOption {
  readonly consistency?: Consistency;
  /** For this read only: how old a copy may be, milliseconds. Used when the authority is away. */
  readonly maxStalenessMs?: number;
}

export interface SetOptions {
  readonly ttlSeconds?: number;
  /** Where the copy is placed now; never weakens durability. */
  readonly tierHint?: MemoryTier;
  readonly metadata?: JsonObject;
  readonly tags?: readonly string[];
  /** Default "durable". */
  readonly durability?: Durability;
  /** Write only if the live item has this version; null = only if absent; "*" = only if present. */
  readonly ifVersion?: string | null;
  /** The same id again (24 h) returns the first receipt; with another request IDEMPOTENCY_MISMATCH. */
  readonly idempotencyKey?: string;
  /**
   * What is searchable, at most 8 KB: a text, or the path of it in the value, such as `$.body` or
   * `$.turns[0].text`. Default: the value if it is text, else its texts in order.
   */
  readonly text?: string;
  /** false: the item is not found by words. Default true. */
  readonly index?: boolean;
  /** false: the item is not found by meaning. Default true. */
  readonly embed?: boolean;
}

/** Of a write that is tried again until it holds. */
export type UpdateOptions = Omit<SetOptions, "ifVersion" | "idempotencyKey">;

/** Of `getOrSet`: how what the loader brings is stored, and how long others wait for it. */
export interface LoadOptions extends UpdateOptions {
  /**
   * How long after this server has died another may call its own loader, seconds from 0.1 to 600; the
   * lease is renewed while the loader runs. @default 10
   */
  readonly leaseSeconds?: number;
  /**
   * A loader that takes longer is given up with DEADLINE_EXCEEDED, and what it may bring later is not
   * stored; who waits for another server's loader waits as long. Milliseconds from 1 to 3,600,000.
   * @default 300000
   */
  readonly loaderTimeoutMs?: number;
}

export interface DeleteOptions {
  readonly ifVersion?: string;
  readonly idempotencyKey?: string;
}

/** undefined ttlSeconds = never expires. */
export interface TouchOptions {
  readonly ttlSeconds?: number;
  readonly ifVersion?: string;
}

export type BatchOperation =
  | ({ readonly type: "set"; readonly key: string; readonly value: unknown } & Omit<
      SetOptions,
      "idempotencyKey"
    >)
  | { readonly type: "get"; readonly key: string }
  | { readonly type: "exists"; readonly key: string }
  | { readonly type: "delete"; readonly key: string; readonly ifVersion?: string }
  | ({ readonly type: "touch"; readonly key: string } & TouchOptions);

export interface BatchResult {
  readonly type: BatchOperation["type"];
  readonly key: string;
  readonly success: boolean;
  /** get, exists, touch: a live item was there. set: true. delete: it existed. */
  readonly found: boolean;
  /** get: the value; exists: a boolean. */
  readonly value?: JsonValue;
  readonly version?: string;
  readonly existed?: boolean;
  readonly error?: { readonly code: string; readonly message: string; readonly retryable: boolean };
  readonly latencyMs: number;
  readonly tierAccessed: MemoryTier | null;
}

export interface BatchOptions extends SessionOption {
  readonly atomic?: boolean;
  readonly idempotencyKey?: string;
  readonly consistency?: Consistency;
}

export interface SearchOptions extends SessionOption {
  /** A search asks the authority, whatever is said here. */
  readonly consistency?: Consistency;
  readonly pattern?: string;
  readonly metadataFilter?: MetadataFilter;
  readonly tags?: readonly string[];
  /** Words to be found, at most 8 KB. The best come first, each with its score. */
  readonly query?: string;
  readonly mode?: "keyword" | "semantic" | "hybrid";
  readonly limit?: number;
  readonly cursor?: string;
  readonly explain?: boolean;
  readonly below?: boolean;
}

export interface SearchPage {
  readonly items: readonly MemoryItem[];
  readonly nextCursor?: string;
  readonly explain?: SearchPlan | QueryPlan;
  /** What this page may lack: its index was further behind than a search reads itself. */
  readonly indexLag?: IndexLag;
}

/** How the items of a query were found and what each signal gave them. */
export interface QueryPlan {
  readonly access: "words";
  /** Conditions that candidates were checked for one by one; "alive" always. */
  readonly residual: readonly string[];
  /** Live items in the namespaces searched, and their mean number of words. */
  readonly documents: number;
  readonly averageLength: number;
  /** Each word of the query as it is indexed, and how many of the items hold it. */
  readonly terms: readonly { readonly term: string; readonly documents: number }[];
  /** Words of which every item was scored; the other ones only where they could still matter. */
  readonly scanned: readonly string[];
  readonly lookedUp: readonly string[];
  /** Changed items that are not indexed yet and were read and scored for this page. */
  readonly unindexed: number;
  readonly items: readonly {
    readonly namespace: string;
    readonly key: string;
    readonly score: number;
    /** What each word adds to the score by words. */
    readonly words: { readonly [term: string]: number };
  }[];
}

export interface ForgetOptions {
  readonly keys?: readonly string[];
  readonly pattern?: string;
  readonly metadataFilter?: MetadataFilter;
  readonly tags?: readonly string[];
  readonly below?: boolean;
  readonly dryRun?: boolean;
  /** Above this many items the rest becomes a job (`job` in the receipt). Default: no bound. */
  readonly jobAbove?: number;
}

/** What was forgotten, and each place it is surely gone from. */
export interface ForgetReceipt {
  /** Items forgotten, or that would be on a dry run. */
  readonly forgotten: number;
  readonly dryRun: boolean;
  readonly places: { readonly [place: string]: "removed" | "none" | "pending" };
  /** Present when the selection is larger than `jobAbove`: follow it with `forgetJob(id)`. */
  readonly job?: string;
}

export interface ExportOptions {
  readonly below?: boolean;
  /** Go on after this key (exactly this namespace), exclusive. */
  readonly after?: string;
}

/** One line of an export; accepted by import. */
export interface ExportLine {
  readonly namespace?: string;
  readonly key: string;
  readonly value: JsonValue;
  readonly metadata?: JsonObject;
  readonly tags?: readonly string[];
  /** As in SetOptions. */
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

export interface Explanation {
  readonly key: string;
  readonly namespace: string;
  /** One entry a tier, fastest first: is a copy there, why (not), until when. */
  readonly tiers: readonly {
    readonly tier: MemoryTier;
    readonly present: boolean;
    readonly version?: string;
    readonly sizeBytes?: number;
    readonly reason: string;
    readonly ttlSeconds?: number;
  }[];
  readonly accessCount: number;
  readonly accessedAt?: string;
  /** Recent moves of this key between tiers, newest last. */
  readonly moves: readonly {
    readonly at: string;
    readonly from: MemoryTier;
    readonly to: MemoryTier;
    readonly reason: string;
  }[];
  readonly coherence: { readonly valid: boolean; readonly validForMs: number | null };
}

export interface TierReport {
  readonly tier: MemoryTier;
  readonly status: TierHealth["status"];
  /** Why it is not ready. */
  readonly reason?: string;
  /** What is unwise about how it is set up, and the remedy; it works all the same. */
  readonly warning?: string;
  readonly capabilities?: TierCapabilities;
  readonly usage?: TierUsage;
}

export interface MemoryStats {
  readonly uptimeSeconds: number;
  readonly status: "ready" | "degraded" | "starting" | "closed";
  readonly tiers: readonly TierReport[];
  readonly maxStalenessMs: number;
  readonly moves: { readonly promoted: number; readonly demoted: number };
}

/** The operations on one namespace. `namespace()` gives the same for one below. */
export interface Memory extends Recalling {
  /** Canonical path, "" for the root. */
  readonly path: string;
  get<T = JsonValue>(key: string, options?: ReadOptions): Promise<T | undefined>;
  getItem<T = JsonValue>(key: string, options?: ReadOptions): Promise<MemoryItem<T> | undefined>;
  /** Synchronous; undefined = not at hand, not "absent". */
  peek<T = JsonValue>(key: string): T | undefined;
  /** Values in the order asked; undefined = absent. */
  getMany<T = JsonValue>(
    keys: readonly string[],
    options?: ReadOptions,
  ): Promise<(T | undefined)[]>;
  set(key: string, value: unknown, options?: SetOptions): Promise<Receipt>;
  delete(key: string, options?: DeleteOptions): Promise<DeleteReceipt>;
  exists(key: string, options?: ReadOptions): Promise<boolean>;
  /** A new lifetime and version; throws NOT_FOUND when there is no live item. */
  touch(key: string, options?: TouchOptions): Promise<Receipt>;
  /**
   * Retries `compareAndSet` until `fn`'s result is stored; when `fn` returns undefined nothing is
   * written. Metadata, tags and the remaining lifetime stay, unless `options` gives others.
   */
  update<T = JsonValue>(
    key: string,
    fn: (current: T | undefined) => T | undefined | Promise<T | undefined>,
    options?: UpdateOptions,
  ): Promise<Receipt | undefined>;
  /**
   * The item, or what `loader` gives, stored: one call of it for all callers on all servers. A loader
   * that was outrun by a write, delete or clear stores nothing: its caller gets what is there now, or
   * what was loaded if nothing is. When it fails, all who wait on this server get its error, and
   * another server tries its own.
   */
  getOrSet<T = JsonValue>(
    key: string,
    loader: () => Promise<T> | T,
    options?: LoadOptions,
  ): Promise<T>;
  /** `expected`: a version, or null for "absent". Throws VersionConflict with `current`. */
  compareAndSet(
    key: string,
    expected: string | null,
    value: unknown,
    options?: SetOptions,
  ): Promise<Receipt>;
  /** RFC 7396 merge patch inside the authority. NOT_FOUND when absent. Keeps metadata, tags, expiry. */
  mergePatch(
    key: string,
    patch: unknown,
    options?: { readonly ifVersion?: string; readonly idempotencyKey?: string },
  ): Promise<Receipt>;
  batchOperations(
    operations: readonly BatchOperation[],
    options?: BatchOptions,
  ): Promise<BatchResult[]>;
  search(options?: SearchOptions): Promise<SearchPage>;
  explain(key: string): Promise<Explanation>;
  forget(options: ForgetOptions): Promise<ForgetReceipt>;
  forgetJob(id: string): Promise<Job | undefined>;
  /** Empties the namespace by version, without a scan. */
  clear(options?: { readonly below?: boolean }): Promise<{ readonly version: string }>;
  exportItems(options?: ExportOptions): AsyncIterable<ExportLine>;
  /** All or nothing per 1,000 lines. A line that is an Error is reported as failed. */
  importItems(lines: AsyncIterable<unknown> | Iterable<unknown>): Promise<ImportReceipt>;
  /** Settled changes after a position ("0" = from the start of the log). */
  changes(options?: {
    readonly after?: string;
    readonly below?: boolean;
    readonly limit?: number;
  }): Promise<{ readonly changes: readonly Change[]; readonly position: string }>;
  /** Position of now, to start following from. */
  changePosition(): Promise<string>;
  /** Keys that will be read soon are brought into process memory. */
  willNeed(keys: readonly string[]): Promise<void>;
  namespace(path: string | readonly string[]): Memory;
  /**
   * The same namespace for one session: what it has seen or written it never sees older, on any
   * server. Goes on with the session of a token, or begins one. INVALID_SESSION when the token is
   * damaged.
   */
  session(token?: string): SessionMemory;
}

/** A memory that remembers what was seen through it. Namespaces made from it share the session. */
export interface SessionMemory extends Memory {
  /**
   * What this session has seen so far, as text of at most 1,024 characters: give it to `session` on
   * this or another server. Moves on with every operation; take it when the operation has resolved.
   */
  readonly token: string;
  namespace(path: string | readonly string[]): SessionMemory;
  /** As `getRaw` of the manager, in this namespace. */
  getRaw(
    key: string,
    options?: Omit<ReadOptions, "session">,
  ): RawItem | Promise<RawItem | undefined>;
}

/**
 * An item as the HTTP server wants it: still as JSON text, so that a hit is spliced into the
 * response without parse and stringify. Strings of JSON are UTF-8 with a character a byte ("latin1").
 */
export interface RawItem extends Omit<MemoryItem, "value" | "metadata" | "tags"> {
  /** JSON text of the value. */
  readonly valueJson: Buffer | string;
  /** `"metadata":…,"tags":…`: two members of a JSON object. */
  readonly attributesJson: string;
  /** Set when the copy is older than the bound because the authority is away: age in milliseconds. */
  readonly degradedAgeMs?: number;
}

/** The whole manager: a Memory of the root namespace with a lifecycle. */
export interface MemoryManager extends Memory {
  initialize(): Promise<void>;
  close(): Promise<void>;
  getStats(): Promise<MemoryStats>;
  optimize(): Promise<{
    readonly promoted: number;
    readonly demoted: number;
    readonly swept: number;
  }>;
  /** One entry a tier: on or off, and why. */
  describeTiers(): readonly TierReport[];
  /**
   * In namespace `path`, which must be canonical; undefined = surely absent. At once when a copy is
   * at hand, else a promise. Bad input is thrown at once too.
   */
  getRaw(
    path: string,
    key: string,
    options?: Omit<ReadOptions, "session">,
  ): RawItem | Promise<RawItem | undefined>;
  /** The token of a session that has only read this; `item`: what `getRaw` gave. */
  readToken(path: string, key: string, item: RawItem | undefined): string;
}
