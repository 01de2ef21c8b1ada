/** Any JSON value. */
export type JsonValue =
  string | number | boolean | null | readonly JsonValue[] | { readonly [name: string]: JsonValue };

export type JsonObject = { readonly [name: string]: JsonValue };

/** The five tiers, fastest first. The value is the name used everywhere, HTTP included. */
export const MemoryTier = {
  L0_CPU_CACHE: "l0",
  L1_PROCESS_MEMORY: "l1",
  L2_SHARED_MEMORY: "l2",
  L3_POSTGRESQL: "l3",
  L4_WEAVIATE: "l4",
} as const;

export type MemoryTier = (typeof MemoryTier)[keyof typeof MemoryTier];

/** Every tier name, fastest first. */
export const MEMORY_TIERS: readonly MemoryTier[] = Object.values(MemoryTier);

/** Addresses one item. `namespace` is canonical: segments joined by "/", "" for the root. */
export interface ItemRef {
  readonly namespace: string;
  readonly key: string;
}

/** What every tier knows about an item beside its value. */
export interface ItemMeta extends ItemRef {
  /** Whole number below 2^53; comparable within one key only. */
  readonly version: number;
  readonly metadata: JsonObject;
  readonly tags: readonly string[];
  /** Wall clock of the authority, milliseconds since the epoch. */
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
  /** Wall clock of the authority; undefined = never expires. For display only. */
  readonly expiresAtMs: number | undefined;
  /**
   * This process' monotonic clock: at or after it the item is not served. Infinity = never expires.
   * Counted from the moment the query that brought the item was sent, so it can only be early.
   */
  readonly deadlineMs: number;
}

/** An item whose value is encoded by the codec: what L1 to L3 hold. */
export interface ItemRecord extends ItemMeta {
  readonly body: Uint8Array;
  /**
   * The JSON text of the value, where it lies in clear and was checked with the rest. Undefined: the
   * codec has to open the body. A record that has it makes its other members when they are asked for:
   * spread none of it.
   */
  checkedText?(): string | undefined;
  /** What of it is searchable, encoded. Only where the authority is asked for all of an item. */
  readonly indexing?: Uint8Array;
}

/** An item whose value is decoded and deep-frozen: what L0 holds. */
export interface ObjectRecord extends ItemMeta {
  readonly value: JsonValue;
  /** Bytes of the encoded value. */
  readonly sizeBytes: number;
}

/** What a caller sees of an item. Deep-frozen. */
export interface MemoryItem<T = JsonValue> {
  readonly namespace: string;
  readonly key: string;
  readonly value: T;
  readonly metadata: JsonObject;
  readonly tags: readonly string[];
  /** The tier that served it. */
  readonly tier: MemoryTier;
  /** Decimal string of a whole number below 2^53. */
  readonly version: string;
  /** ISO 8601. */
  readonly createdAt: string;
  readonly updatedAt: string;
  /** This server's estimate; never costs a write. */
  readonly accessedAt: string;
  readonly accessCount: number;
  readonly sizeBytes: number;
  /** Seconds left when it was read; undefined = never expires. */
  readonly ttlSeconds?: number;
  readonly expiresAt?: string;
  /** CRC-32 of the encoded value, 8 hex digits. */
  readonly checksum: string;
  /** How well it answers the query of a search; comparable within one search only. */
  readonly score?: number;
}

export type Durability = "durable" | "ephemeral";

/** What became of a write in one tier. */
export type TierOutcome = "stored" | "pending" | "skipped" | "failed";

/** What every write returns. Never claims what has not happened. */
export interface Receipt {
  readonly key: string;
  readonly version: string;
  readonly tiers: { readonly [tier in MemoryTier]?: TierOutcome };
}

export interface DeleteReceipt extends Receipt {
  /** Whether a live item was there, decided by the authority. */
  readonly existed: boolean;
}
