import type { ItemRecord, ItemRef, JsonObject } from "../model/item.ts";
import type { MetadataFilter } from "../model/filter.ts";
import type { KeywordIndex } from "./keyword.ts";
import type { LogPlace } from "./shared.ts";
import type { Tier } from "./tier.ts";

/**
 * A condition on the live item, judged by the authority in the writing statement.
 * number = exactly this version; "absent" = no live item; "present" = any live item.
 */
export type Condition = number | "absent" | "present";

/** No encoded indexing is empty. */
export const KEPT_INDEXING: Uint8Array = new Uint8Array();

/** Replaces the whole item. */
export interface PutOperation extends ItemRef {
  readonly kind: "put";
  readonly body: Uint8Array;
  readonly metadata: JsonObject;
  readonly tags: readonly string[];
  /** What of it is searchable, encoded; absent: the defaults. KEPT_INDEXING: as the live item has it. */
  readonly indexing?: Uint8Array;
  readonly ttlSeconds: number | undefined;
  /** For import: wall-clock expiry kept as it was; wins over ttlSeconds. */
  readonly expiresAtMs?: number;
  readonly condition?: Condition;
  /**
   * Besides: only if the key is as it was when this was granted, neither written nor removed nor
   * cleared since, and its lease stands; else a conflict. Ends the lease in any case. Such a put goes
   * alone and without an idempotency token.
   */
  readonly claim?: LoadClaim;
}

export interface RemoveOperation extends ItemRef {
  readonly kind: "remove";
  readonly condition?: Condition;
  /**
   * A removal that finds no live item is recorded all the same, as a tombstone and a change: what
   * other tiers may hold of the key ends by it. Its status is "absent" as ever.
   */
  readonly leaveTrace?: boolean;
}

/** Gives a live item a new lifetime (undefined: for ever) and a new version; value unchanged. */
export interface TouchOperation extends ItemRef {
  readonly kind: "touch";
  readonly ttlSeconds: number | undefined;
  readonly condition?: Condition;
}

export type WriteOperation = PutOperation | RemoveOperation | TouchOperation;

/** Result of one write operation, in the order given. */
export type WriteResult =
  | {
      readonly status: "written";
      readonly version: number;
      /** Whether a live item was there before. */
      readonly existed: boolean;
      readonly createdAtMs: number;
      readonly updatedAtMs: number;
      readonly expiresAtMs: number | undefined;
      /** Monotonic deadline, as in ItemMeta. */
      readonly deadlineMs: number;
    }
  /** remove or touch found no live item; `version` was drawn, so it is above all before it. */
  | { readonly status: "absent"; readonly version: number }
  /** The condition did not hold; null = no live item. Nothing written for this operation. */
  | { readonly status: "conflict"; readonly currentVersion: number | null };

/** What a loader's value is to be stored under. */
export interface LoadClaim {
  /** The newest version of the key, its tombstone or a clear of its namespace; 0: none is known. */
  readonly seenVersion: number;
  /** Of the lease; undefined where nobody else is kept out. */
  readonly token: string | undefined;
}

export type LeaseAnswer =
  | { readonly status: "granted"; readonly claim: LoadClaim }
  /** Another has it, for so long at most unless it is renewed. */
  | { readonly status: "held"; readonly heldForMs: number }
  /** There is a live item. */
  | { readonly status: "found" };

/** Makes a write repeatable: the same id and hash gives the first receipt again. */
export interface IdempotencyToken {
  readonly namespace: string;
  readonly id: string;
  /** Hash of the whole request. Another hash under one id is IDEMPOTENCY_MISMATCH. */
  readonly requestHash: string;
}

export interface WriteOptions {
  /** All or nothing in one transaction: a conflict or absent-with-condition throws BatchAborted. */
  readonly atomic?: boolean;
  readonly idempotency?: IdempotencyToken;
}

/** How much of an answer an item makes, which its stored bytes may hide: they are compressed. */
export interface PageMeasure {
  /** Bytes of a stored body in the answer. A body of which it throws counts as it is stored. */
  readonly bytesOf: (body: Uint8Array) => number;
  readonly bytesMax: number;
}

/** Search by pattern, metadata and tags. Inputs are validated before they come here. */
export interface SearchRequest {
  readonly namespace: string;
  readonly below: boolean;
  readonly pattern: string | undefined;
  readonly metadataFilter: MetadataFilter | undefined;
  /** All of them must be on the item. */
  readonly tags: readonly string[];
  readonly limit: number;
  /** Opaque; from `nextCursor` of the same request. */
  readonly cursor: string | undefined;
  readonly explain: boolean;
  /** A page ends before its bodies exceed this measure, but brings one record at least. */
  readonly measure?: PageMeasure;
}

export interface SearchPlan {
  /** How candidates were found. */
  readonly access: "key-range" | "metadata-index" | "tag-index" | "namespace-walk";
  /** Conditions that were checked row by row after the access path. */
  readonly residual: readonly string[];
  /** True when the page ended at a bound on rows examined or on bytes rather than at `limit`. */
  readonly bounded: boolean;
  readonly sql: string;
}

export interface SearchResult {
  readonly records: readonly ItemRecord[];
  readonly nextCursor: string | undefined;
  readonly plan?: SearchPlan;
}

/** An item outside the authority whose proof is as old as `since`: a place in the log. */
export interface KnownAsOf extends ItemRef {
  readonly since?: LogPlace;
}

/** What forget acts on; exactly one of keys or (pattern and/or filter and/or tags, or everything). */
export interface Selection {
  readonly namespace: string;
  readonly below: boolean;
  readonly keys?: readonly string[];
  readonly pattern?: string;
  readonly metadataFilter?: MetadataFilter;
  readonly tags?: readonly string[];
}

export interface ForgetChunk {
  /** What was forgotten (or would be, on a dry run) in this chunk. */
  readonly forgotten: readonly (ItemRef & { readonly version: number })[];
  /** Rows looked at. */
  readonly examined: number;
  /** Give it to the next call; undefined when the selection is exhausted. */
  readonly next: string | undefined;
}

export type ChangeOperation = "put" | "remove" | "touch" | "expire" | "clear";

/** One committed change, from the change log. */
export interface Change extends ItemRef {
  readonly id: number;
  readonly version: number;
  readonly op: ChangeOperation;
  /** Only on a clear, whose key is "": all namespaces below were emptied too. */
  readonly below?: boolean;
  readonly atMs: number;
}

/** A page of settled changes: nothing at or below `position` can still commit. */
export interface ChangePage {
  readonly changes: readonly Change[];
  /** Where to go on from; pass as `after`. */
  readonly position: number;
}

/** One poll of the log by a cache follower. */
export interface FollowPoll {
  /** Newly visible changes; may repeat earlier ones (compare versions). */
  readonly changes: readonly Change[];
  /** Opaque state for the next poll. */
  readonly state: FollowState;
  readonly epoch: string;
  /** Monotonic time at which the query was sent. */
  readonly sentAtMs: number;
  /** True: changes may have been missed (log trimmed, poll bound hit); drop all copies. */
  readonly gap: boolean;
}

export interface FollowState {
  /**
   * What the last poll saw of the log: a snapshot as PostgreSQL writes it, `xmin:xmax:xip`, that ends
   * after the last change that showed, since a crash may give the numbers beyond it again.
   */
  readonly snapshot: string;
}

export interface SweepReport {
  readonly expired: number;
  readonly purgedTombstones: number;
  readonly trimmedChanges: number;
  readonly trimmedIdempotency: number;
}

/** A resumable piece of work whose progress survives a crash. */
export interface Job {
  readonly id: string;
  readonly namespace: string;
  readonly kind: "forget";
  readonly selection: Selection;
  readonly state: "running" | "done" | "failed";
  /** With what was forgotten before the job was made. */
  readonly forgotten: number;
  readonly cursor: string | undefined;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
  readonly error?: string;
}

/** Where a job begins. */
export interface JobProgress {
  /** `next` of the last chunk; undefined: at the beginning. */
  readonly after: string | undefined;
  /** Items forgotten so far. */
  readonly forgotten: number;
}

export interface ExportPageRequest {
  readonly namespace: string;
  readonly below: boolean;
  /** Last (namespace, key) of the page before. */
  readonly after: ItemRef | undefined;
  readonly limit: number;
}

/** The durable authority. All methods reject with MemoryError. */
export interface AuthorityTier extends Tier {
  /** Live items only, in the order asked; undefined = surely absent. */
  getMany(refs: readonly ItemRef[]): Promise<readonly (ItemRecord | undefined)[]>;
  /**
   * The newest version of each item, alive or deleted, or of a clear of its namespace; 0: there was
   * none. With `since`: of what transactions did from there on too, and the greatest whole number where
   * that cannot be told any more.
   */
  newestVersions(known: readonly KnownAsOf[]): Promise<readonly number[]>;
  /** Operations must be on distinct keys. */
  write(
    operations: readonly WriteOperation[],
    options?: WriteOptions,
  ): Promise<readonly WriteResult[]>;
  /**
   * Reads and writes one item inside one transaction, its row locked. `decide` is pure and may run
   * more than once; undefined = change nothing (resolves to undefined).
   */
  modify(
    ref: ItemRef,
    decide: (current: ItemRecord | undefined) => WriteOperation | undefined,
    options?: WriteOptions,
  ): Promise<WriteResult | undefined>;
  /**
   * Asks for the right to be the only one who computes an item that is not there. It lasts `ttlSeconds`
   * by the authority's clock unless it is renewed; undefined: nobody else is kept out, and the claim
   * only says as of when the key is absent. A lease whose key was written, removed or cleared since is
   * given to the next who asks. No lease call reports OUTCOME_UNKNOWN: leases are no data.
   */
  takeLease(ref: ItemRef, ttlSeconds: number | undefined): Promise<LeaseAnswer>;
  /** False: it has ended, or what is stored under it will be refused because the key has changed. */
  renewLease(ref: ItemRef, token: string, ttlSeconds: number): Promise<boolean>;
  /** Lets the next one have it. Nothing happens when it has ended. */
  releaseLease(ref: ItemRef, token: string): Promise<void>;
  search(request: SearchRequest): Promise<SearchResult>;
  /** Search by words. Absent: it cannot. */
  readonly keywords?: KeywordIndex;
  /**
   * In key order over (namespace, key). A page is also bounded in bytes, so it may be short: only an
   * empty one ends an export.
   */
  exportPage(request: ExportPageRequest): Promise<readonly ItemRecord[]>;
  /** Deletes at most `limit` items of the selection in one transaction, or only lists them. */
  forgetChunk(
    selection: Selection,
    options: {
      readonly limit: number;
      readonly after: string | undefined;
      readonly dryRun: boolean;
    },
  ): Promise<ForgetChunk>;
  /** Empties by version, without a scan; returns the version at and below which all is gone. */
  clear(namespace: string, below: boolean): Promise<{ readonly version: number }>;
  /**
   * Settled changes after a position, oldest first; `limit`: 1 to 1000. CURSOR_EXPIRED when they were
   * trimmed, or when this log was never that long: the position is another database's, or from before
   * a restore.
   */
  readChanges(request: {
    readonly namespace: string;
    readonly below: boolean;
    readonly after: number;
    readonly limit: number;
  }): Promise<ChangePage>;
  /** The position now: changes committed later have ids above it or are still unsettled. */
  changePosition(): Promise<number>;
  /** Durable position of a named consumer; undefined when it was never stored or was dropped. */
  loadConsumer(name: string): Promise<number | undefined>;
  saveConsumer(name: string, position: number): Promise<void>;
  /** For cache invalidation; `undefined` starts following from now. */
  follow(state: FollowState | undefined): Promise<FollowPoll>;
  /**
   * The job acts only on items as they are when it is made: one that is written or touched later
   * stays. `progress`: what the caller has forgotten already. INVALID_CURSOR when its place is not
   * one of this selection.
   */
  createJob(selection: Selection, progress?: JobProgress): Promise<Job>;
  /** undefined also for an id that no job can have. */
  readJob(id: string): Promise<Job | undefined>;
  /**
   * Runs one chunk of the job; safe to call from several servers and after a crash. NOT_FOUND when
   * there is no such job.
   */
  advanceJob(
    id: string,
    limit: number,
  ): Promise<{ readonly job: Job; readonly chunk: ForgetChunk }>;
  /** Jobs not yet finished, oldest first, at most `limit`. What cannot be read is marked as failed. */
  unfinishedJobs(limit: number): Promise<readonly Job[]>;
  /** Expires, purges and trims, each bounded by `limit` rows. */
  sweep(limit: number): Promise<SweepReport>;
  /** True when no other process can change the data, so that copies need no proof of freshness. */
  readonly exclusive: boolean;
  /** Totals for stats; estimates are fine. */
  refreshUsage(): Promise<void>;
}
