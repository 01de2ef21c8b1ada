import { EPHEMERAL_VERSION_MIN } from "../model/version.ts";
import type { ItemRecord, ItemRef, JsonObject, MemoryTier } from "../model/item.ts";
import type { Condition } from "../tiers/authority.ts";

/** Whether a version was given to an ephemeral item. */
export function isEphemeralVersion(version: number): boolean {
  return version >= EPHEMERAL_VERSION_MIN;
}

/** An ephemeral set, checked and encoded. */
export interface EphemeralSet extends ItemRef {
  readonly body: Uint8Array;
  readonly metadata: JsonObject;
  readonly tags: readonly string[];
  readonly ttlSeconds: number | undefined;
  readonly condition: Condition | undefined;
}

/** What a removal found. unknown: nothing, but an item may still be there or come back. */
export type Removal = { readonly version: number } | "none" | "unknown";

/** Where ephemeral items have their authority: this process, or the tier that all servers share. */
export interface EphemeralHome {
  readonly tier: MemoryTier;
  /** Live items in the order asked; undefined also when the home does not answer: they may vanish. */
  findMany(refs: readonly ItemRef[]): Promise<readonly (ItemRecord | undefined)[]>;
  /** DURABILITY_CONFLICT on a live durable item, VersionConflict when the condition does not hold. */
  set(item: EphemeralSet): Promise<{ readonly version: number }>;
  /** Condition judged against the ephemeral item, if there is one. */
  remove(ref: ItemRef, condition: Condition | undefined): Promise<Removal>;
  /** A new lifetime and version; undefined when there is no such item. */
  touch(
    ref: ItemRef,
    ttlSeconds: number | undefined,
    condition: Condition | undefined,
  ): Promise<{ readonly version: number } | undefined>;
  /** Removes what matches; undefined pattern = everything. Returns how many. */
  removeWhere(scope: {
    readonly namespace: string;
    readonly below: boolean;
    readonly pattern: string | undefined;
  }): Promise<number>;
}
