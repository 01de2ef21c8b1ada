import type { ItemMeta, ItemRecord, ItemRef, MemoryTier, ObjectRecord } from "../model/item.ts";

/** What a tier can do. Shared code asks these, never which tier it is. */
export interface TierCapabilities {
  /** "authority" decides what is true; "copy" may forget at any time; "index" finds, and holds no item. */
  readonly role: "copy" | "authority" | "index";
  /** Records it hands over: decoded objects or encoded bytes. An index: vectors. */
  readonly holds: "objects" | "bytes" | "vectors";
  /** Answers `find` at once, in this process. */
  readonly synchronous: boolean;
  /** Seen by every server. */
  readonly shared: boolean;
  /** Keeps what it acknowledged over a `kill -9`. */
  readonly durable: boolean;
  /** Can be the authority of ephemeral items. */
  readonly ephemeral: boolean;
}

export type TierStatus = "ready" | "degraded" | "off" | "closed";

export interface TierHealth {
  readonly status: TierStatus;
  /** Why it is not ready; absent when it is. */
  readonly reason?: string;
  /** What is unwise about how it is set up, and the remedy; it works all the same. */
  readonly warning?: string;
}

/** Figures since start; cheap to read. */
export interface TierUsage {
  readonly items: number;
  readonly bytes: number;
  readonly maxBytes: number;
  readonly maxItems: number;
  readonly hits: number;
  readonly misses: number;
  readonly evictions: number;
  readonly expirations: number;
}

/** What all tiers share. */
export interface Tier {
  readonly name: MemoryTier;
  readonly capabilities: TierCapabilities;
  initialize(): Promise<void>;
  /** Idempotent. Afterwards every call fails with CLOSED. */
  close(): Promise<void>;
  health(): TierHealth;
  usage(): TierUsage;
}

export type OfferOutcome = "stored" | "older" | "refused";

/** Told when a tier lets a record go for want of room, so that it can move one tier down. */
export type DemotionListener<R> = (record: R) => void;

/**
 * A tier in this process whose items are copies. Everything is synchronous: `find` is the hot path.
 * A copy is only ever replaced by a newer version of the same key.
 */
export interface LocalTier<R extends ItemRecord | ObjectRecord> extends Tier {
  /** The live copy, or undefined; never one past its deadline. Counts a hit or a miss. */
  find(namespace: string, key: string): R | undefined;
  /** Like `find`, without touching recency, frequency or counters: for `explain`. */
  inspect(namespace: string, key: string): R | undefined;
  /** Stores the copy unless the tier has the same or a newer version ("older") or cannot hold it ("refused"). */
  offer(record: R): OfferOutcome;
  /** Drops the copy if its version is below `belowVersion` (Infinity: whatever it is). True if one was dropped. */
  drop(namespace: string, key: string, belowVersion: number): boolean;
  /** Drops all copies of exactly this namespace, or also of all below it. */
  dropNamespace(namespace: string, below: boolean): number;
  /** Drops everything. */
  flush(): void;
  /** Frees what is past its deadline, at most `maxItems`; returns how many. */
  sweep(maxItems: number): number;
  onDemotion(listener: DemotionListener<R>): void;
}

/** An item whose body was sound as the tier took it in: its JSON text needs no check any more. */
export interface TextRecord extends Omit<ItemMeta, "metadata" | "tags"> {
  /** The value. */
  readonly text: string;
  /** `"metadata":…,"tags":…`; "" when there are neither. */
  readonly attributes: string;
  /** Bytes of the value's text. */
  readonly sizeBytes: number;
  /** CRC-32 of the value's text. */
  readonly crc: number;
}

/** The part of it that a read of the value alone needs. */
export type ValueText = Pick<TextRecord, "version" | "text">;

export interface ByteTier extends LocalTier<ItemRecord> {
  /**
   * Like `find`, of an item that it can give as text: without copying and checking the body. When it
   * cannot, undefined and nothing is counted: then `find` is asked. "latin1" gives UTF-8 as
   * characters of one byte each.
   */
  findText?(namespace: string, key: string, encoding: "utf8" | "latin1"): TextRecord | undefined;
  /** The same for the value alone, decoded from UTF-8: the rest is not even read. Present with `findText`. */
  findValueText?(namespace: string, key: string): ValueText | undefined;
}
export type ObjectTier = LocalTier<ObjectRecord>;

/** The same address as text, for maps. NUL cannot occur in either part. */
export function refId(ref: ItemRef): string {
  return `${ref.namespace}\u0000${ref.key}`;
}
