import type { ItemRef } from "../model/item.ts";
import type { Tier, TierCapabilities } from "./tier.ts";

/**
 * One index by meaning: all its vectors come from one model and are of one length. A rebuild fills the
 * next number while the last one serves. Which of them serves is not kept here but in the authority.
 */
export interface IndexVersion {
  /** Whole, from 1. */
  readonly number: number;
  /** Names the embedder, so that vectors of two are never compared. */
  readonly model: string;
  readonly dimensions: number;
}

export type FieldValue = string | number | boolean;

/** What of an item's metadata was declared to be searchable here; it lies in clear. */
export type EntryFields = { readonly [name: string]: FieldValue | readonly FieldValue[] };

/** An entry's address and the version of the item that it was made from. */
export interface EntryRef extends ItemRef {
  readonly itemVersion: number;
}

export interface VectorEntry extends EntryRef {
  /** Of any length but zero: kept at length one. */
  readonly vector: Float32Array;
  /** Analysed terms of the text, for tiers that search by words too; repeated as often as they occur. */
  readonly terms?: readonly string[];
  readonly fields?: EntryFields;
  /** When it was said or written; what `filter.fromMs` and `toMs` compare with. */
  readonly atMs?: number;
  readonly expiresAtMs?: number;
}

/** All of it must hold. What a tier cannot push down (see its capabilities) it refuses. */
export interface VectorFilter {
  /** Each: the entry has this field, with one of these values. A type matches itself only. */
  readonly fields?: readonly { readonly field: string; readonly anyOf: readonly FieldValue[] }[];
  /** At or after; an entry without a time is left out. */
  readonly fromMs?: number;
  /** Before. */
  readonly toMs?: number;
}

/** Exactly this namespace, or also all below it; within one index version. */
export interface VectorScope {
  readonly index: number;
  readonly namespace: string;
  readonly below: boolean;
}

export interface NearestRequest extends VectorScope {
  readonly vector: Float32Array;
  readonly limit: number;
  readonly filter?: VectorFilter;
  /** Compares with every entry, however long it takes: what approximate search is measured against. */
  readonly exact?: boolean;
}

export interface VectorHit extends EntryRef {
  /** Cosine: -1 to 1. */
  readonly similarity: number;
}

export interface NearestResult {
  /** Most similar first; as many as were asked for, wherever so many entries match. */
  readonly hits: readonly VectorHit[];
  /** Every matching entry was compared. */
  readonly exact: boolean;
}

export interface MatchRequest extends VectorScope {
  /** Analysed as those of the entries were. An entry that has one of them matches. */
  readonly terms: readonly string[];
  readonly limit: number;
  readonly filter?: VectorFilter;
}

export interface MatchHit extends EntryRef {
  /** The tier's own BM25: comparable within one answer only. */
  readonly score: number;
}

/** A page of all that an index version holds, in no order that means anything. */
export interface EntryPage {
  readonly entries: readonly EntryRef[];
  /** Give it to the next call; undefined: this was the last page. */
  readonly next: string | undefined;
}

export interface VectorCapabilities extends TierCapabilities {
  readonly filters: { readonly fields: boolean; readonly time: boolean };
  /** Has `match`. */
  readonly ownKeywordIndex: boolean;
  /** The longest vectors it takes. */
  readonly dimensionsMax: number;
}

/**
 * An index that may be thrown away and rebuilt from the authority at any time. It may lag, and calls
 * of a server that was thought dead may still arrive: whoever uses it compares every hit with the
 * authority (alive, same version) and now and then removes entries that have no item.
 *
 * Methods reject with STORE_UNAVAILABLE when it does not answer, with INVALID_ARGUMENT for a vector
 * of the wrong length, of zeros or with what is no number, and with NOT_FOUND where there is no such
 * index version.
 */
export interface VectorTier extends Tier {
  readonly capabilities: VectorCapabilities;
  /** Any number of servers may ask at once. A number that is there with another model or length is refused. */
  ensureIndex(index: IndexVersion): Promise<void>;
  /** By number. */
  listIndexes(): Promise<readonly IndexVersion[]>;
  /** With all its entries; nothing happens where there is none. */
  dropIndex(number: number): Promise<void>;
  /** Repeatable. An entry made from an older version of its item never replaces a newer one's. */
  upsert(index: number, entries: readonly VectorEntry[]): Promise<void>;
  /** From every index version, where the entry is of this version or an older one. */
  remove(refs: readonly EntryRef[]): Promise<void>;
  /** The same for all of a namespace; returns how many went. */
  clear(scope: {
    readonly namespace: string;
    readonly below: boolean;
    readonly itemVersion: number;
  }): Promise<number>;
  /** Entries past `expiresAtMs` may be among the hits. */
  nearest(request: NearestRequest): Promise<NearestResult>;
  /** By words. Present with `capabilities.ownKeywordIndex`. */
  match?(request: MatchRequest): Promise<readonly MatchHit[]>;
  entries(request: {
    readonly index: number;
    readonly after: string | undefined;
    readonly limit: number;
  }): Promise<EntryPage>;
  /** Brings what `usage` says up to date. */
  refreshUsage(): Promise<void>;
}
