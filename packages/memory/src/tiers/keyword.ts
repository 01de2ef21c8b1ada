import type { ItemRecord, ItemRef } from "../model/item.ts";
import type { CollectionStatistics } from "../recall/keyword/bm25.ts";
import type { PageMeasure, Selection } from "./authority.ts";

/** What the index knows of a document beside its words: derived from the item, so rebuilt with it. */
export interface DocumentFacts {
  readonly session?: string;
  /** Order within the session. */
  readonly position?: number;
  /** When it was said or happened, in world time. */
  readonly atMs?: number;
  readonly speaker?: string;
}

/** What of an item is indexed. */
export interface ReadDocument extends DocumentFacts {
  /** Of the analyser, duplicates kept. */
  readonly terms: readonly string[];
}

/** An item as it is stored. */
export type StoredItem = Pick<ItemRecord, "namespace" | "key" | "body" | "indexing">;

/** Reads items for the index. Pure; one of another id reads otherwise, and the index is then rebuilt. */
export interface DocumentReader {
  /** Language and version of the analyser, and what else changes what is read. */
  readonly id: string;
  /** undefined: the item is kept out of the index. An item that cannot be read has no terms. */
  read(item: StoredItem): ReadDocument | undefined;
}

/** Exactly this namespace, or also all below it. */
export interface KeywordScope {
  readonly namespace: string;
  readonly below: boolean;
}

/** What is asked for, besides which documents. */
export interface KeywordQuery extends KeywordScope {
  readonly reader: DocumentReader;
  /** Analysed as documents are. Duplicates count once. */
  readonly terms: readonly string[];
  readonly limit: number;
  /** Only items that fulfil this; statistics are of the whole scope all the same. */
  readonly criteria?: Pick<Selection, "pattern" | "metadataFilter" | "tags">;
  /** Brings the items too: a page ends before their bodies exceed this, but has one at least. */
  readonly measure?: PageMeasure;
}

export interface KeywordRequest extends KeywordQuery {
  /** Says what each term adds to the score of a hit. */
  readonly explain?: boolean;
  /** Of the ranking beyond the hits so much is given, where it is known. @default 0 */
  readonly keep?: number;
  /** Goes on in a ranking that was seen in part. All documents are scored then. */
  readonly after?: RankingPlace;
}

/** One place of a ranking: a document, or an item that is not indexed yet. */
export type RankedCandidate = { readonly score: number } & (
  { readonly document: number } | { readonly item: ItemRef }
);

export interface RankingPlace {
  /** What was seen already. */
  readonly seen: readonly (number | ItemRef)[];
  /** The ranking goes on below this document: all before it was seen too. */
  readonly below?: { readonly document: number; readonly score: number };
}

export interface KeywordHit extends ItemRef, DocumentFacts {
  /** Of the item, which was alive with it in the snapshot of the search. */
  readonly version: number;
  readonly score: number;
  /** Present with `explain`: what each of the request's terms that it holds adds to the score. */
  readonly termScores?: ReadonlyMap<string, number>;
  /** Stays as long as the item lives; undefined where it is not indexed yet. */
  readonly document: number | undefined;
  /** Terms it has, duplicates counted. */
  readonly length: number;
  /** Present with `measure`. */
  readonly record?: ItemRecord;
}

export interface KeywordStatistics extends CollectionStatistics {
  /** Live items that hold each distinct term of the request. */
  readonly frequencies: ReadonlyMap<string, number>;
}

/** What a search did not see of the change log, because the index was further behind than a search reads. */
export interface IndexLag {
  readonly changes: number;
  readonly seconds: number;
  /** The index is being made anew from the items: what is not read again yet may be missing. */
  readonly rebuilding?: true;
}

export interface KeywordAnswer {
  /** Best first; equal to the first of all, scored one by one. */
  readonly hits: readonly KeywordHit[];
  /** What comes after the hits, not yet compared with the items. */
  readonly following: readonly RankedCandidate[];
  /** Nothing comes after that. */
  readonly complete: boolean;
  readonly statistics: KeywordStatistics;
  /** Absent when every acknowledged write was seen. */
  readonly lag?: IndexLag;
  readonly plan: KeywordPlan;
}

/** How it was found. */
export interface KeywordPlan {
  /** Terms whose documents were all scored. */
  readonly scanned: readonly string[];
  /** Common terms, looked up only for documents that could still reach the page. */
  readonly lookedUp: readonly string[];
  /** Documents scored. */
  readonly candidates: number;
  /** Changes above the index that were read and scored in this process. */
  readonly tail: number;
}

export interface IndexedDocument extends ItemRef, DocumentFacts {
  readonly document: number;
  readonly version: number;
  readonly length: number;
}

export interface Neighbours {
  readonly document: number;
  /** Of the same session, in order, itself left out. */
  readonly hits: readonly IndexedDocument[];
}

/** One bounded step of the indexer. */
export interface IndexStep {
  /** busy: another server is at it. idle: nothing was to be done. */
  readonly status: "busy" | "idle" | "worked";
  readonly changes: number;
  readonly documents: number;
  /** Committed changes that are not indexed yet, an estimate, and how old the oldest of them is. */
  readonly lag: IndexLag;
}

/** Search by words over the authority's items: postings beside them, and what is not in those yet. */
export interface KeywordIndex {
  search(request: KeywordRequest): Promise<KeywordAnswer>;
  /**
   * The hits of a ranking that was made before, in its order: what is alive and still has a term of the
   * query, however it was written since. `used`: how many of the candidates were looked at.
   */
  resolve(
    query: KeywordQuery & { readonly candidates: readonly RankedCandidate[] },
  ): Promise<{ readonly hits: readonly KeywordHit[]; readonly used: number }>;
  /** Indexed documents of one session around each of these, of this scope alone. */
  neighbours(
    request: KeywordScope & {
      readonly documents: readonly number[];
      readonly before: number;
      readonly after: number;
    },
  ): Promise<readonly Neighbours[]>;
  /** Indexed documents of these sessions, one session after the other, each from its first on. */
  sessions(request: {
    readonly namespace: string;
    /** As `DocumentFacts` names them. */
    readonly sessions: readonly string[];
    readonly eachMax: number;
    readonly allMax: number;
  }): Promise<readonly IndexedDocument[]>;
  /** What is indexed of those that are not alive goes now, before the log is read up to their end. */
  forget(refs: readonly ItemRef[]): Promise<void>;
  /** Any number of servers may call it; one works, in one transaction. */
  advance(reader: DocumentReader, bounds: { readonly changes: number }): Promise<IndexStep>;
}
