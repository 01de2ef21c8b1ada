/**
 * Decides what a full tier lets go of. Items are whole numbers ("slots") below the `slotsMax` the
 * policy was made for, so that a policy keeps its books in typed arrays and no object per item. The
 * tier tells it of every arrival, hit and removal; it never touches the items.
 */
export interface EvictionPolicy {
  /** Bytes of bookkeeping a slot, counted by the tier. */
  readonly bytesPerSlot: number;
  /** The slot was filled. `keyHash` stays the same when the key leaves and comes back. */
  inserted(slot: number, sizeBytes: number, keyHash: number): void;
  hit(slot: number): void;
  /** The slot was emptied, for whatever reason, also as the victim. */
  removed(slot: number): void;
  /** The slot to empty next, still filled; -1 when all are empty. */
  victim(): number;
  /** All slots were emptied at once. */
  clear(): void;
}

export type EvictionPolicyMaker = (slotsMax: number) => EvictionPolicy;
