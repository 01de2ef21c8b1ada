import type { ItemRecord, ItemRef } from "../model/item.ts";
import type { Tier } from "./tier.ts";

/**
 * A place in the order in which transactions began (PostgreSQL's xid8): "proven as of P" says that
 * everything that transactions below P did is in the value. Whole number below 2^53.
 */
export type LogPlace = number;

/** The one right to fill one key after a miss; dies with every write, delete, flush and eviction. */
export type LeaseToken = string;

/** A copy of a durable item, or an ephemeral item, as it lies in the shared tier: not yet judged. */
export interface SharedEntry {
  readonly kind: "copy" | "ephemeral";
  readonly record: ItemRecord;
  /** Of a copy: the value is proven as of here. Of an ephemeral item: no durable one was there then. */
  readonly provenAt: LogPlace;
  /** Of an ephemeral item: newest version of the durable item of this key known when it was set. */
  readonly baseVersion: number;
}

export interface SharedCopy {
  readonly record: ItemRecord;
  readonly provenAt: LogPlace;
}

/** What a reader that found nothing it may serve asks for. A hole or a marker may always be leased. */
export interface LeaseRequest extends ItemRef {
  /**
   * A copy below this version is old, and so is an ephemeral item that knows no durable version from
   * here on: they make way. 0: no copy is too old. Nothing older than this, or than a marker that the
   * lease takes the place of, may be filled in under the lease.
   */
  readonly minVersion: number;
  /** A copy proven as of this place or an earlier one cannot be judged any more: it makes way too. */
  readonly minProvenAt: LogPlace;
}

/** A committed change to be told to the shared tier and, over the bus, to the other servers. */
export interface SettledChange extends ItemRef {
  readonly version: number;
  /** The new value, when it may be kept here: replaces what lies there and is older, never fills a hole. */
  readonly copy: SharedCopy | undefined;
}

/** stored: the new value; marked: a marker that nothing older passes; older: something newer was there. */
export type SettleOutcome = "stored" | "marked" | "older";

export interface EphemeralPut {
  readonly record: ItemRecord;
  readonly ttlMs: number | undefined;
  readonly provenAt: LogPlace;
  readonly baseVersion: number;
  /** Judged against the ephemeral item that is there, in the same step. */
  readonly condition: number | "absent" | "present" | undefined;
}

/**
 * Written without `existed`: there was no ephemeral item (a removal or a touch then did nothing, and
 * its version is 0). Durable: the tier knows of a durable change beyond the given `baseVersion`; ask
 * the authority again, and if nothing is there put again with this version as the base.
 */
export type EphemeralResult =
  | { readonly status: "written"; readonly version: number; readonly existed: boolean }
  | { readonly status: "conflict"; readonly currentVersion: number | null }
  | { readonly status: "durable"; readonly version: number };

/**
 * A tier that all servers see and that may forget, lag, or come back with an old state at any time:
 * nothing it says is believed without proof from the authority's change log. All methods reject with
 * STORE_UNAVAILABLE when it does not answer in time; a command that was sent may still be carried out
 * at any later moment, and must do no harm then. Of ephemeral items it is the authority: a change of
 * one that may have been made rejects with OUTCOME_UNKNOWN, and STORE_UNAVAILABLE says that it was not.
 */
export interface SharedTier extends Tier {
  /** The authority's epoch: part of every key and message. Entries of another are not seen. */
  useEpoch(epoch: string): void;
  /** In the order asked; undefined = nothing usable there (a hole, a marker, a lease, damage). One round trip. */
  findMany(refs: readonly ItemRef[]): Promise<readonly (SharedEntry | undefined)[]>;
  /** Undefined where somebody else holds the lease, or something newer lies there. One round trip. */
  lease(requests: readonly LeaseRequest[]): Promise<readonly (LeaseToken | undefined)[]>;
  /** Stores copies whose lease still lives; false where it does not, or the tier has no room. */
  fill(
    copies: readonly (SharedCopy & { readonly lease: LeaseToken })[],
  ): Promise<readonly boolean[]>;
  /** Gives leases back unused, where nothing is there to be filled in: the next reader may take them. */
  release(leases: readonly (ItemRef & { readonly lease: LeaseToken })[]): Promise<void>;
  /** After commit: nothing below these versions stays, and the bus says so. One round trip. */
  settle(changes: readonly SettledChange[]): Promise<readonly SettleOutcome[]>;
  /** Tells the other servers that a namespace was cleared, or (undefined) to read the log now. */
  announce(
    clear: { namespace: string; below: boolean; version: number } | undefined,
  ): Promise<void>;
  /** The authority of ephemeral items: sets, judged and versioned here, above all durable versions. */
  putEphemeral(put: EphemeralPut): Promise<EphemeralResult>;
  /** Removes ephemeral items only; a copy or a marker stays. */
  removeEphemeral(
    ref: ItemRef,
    condition: number | "absent" | "present" | undefined,
  ): Promise<EphemeralResult>;
  /** A new lifetime (undefined: for ever) and a new version; value unchanged. */
  touchEphemeral(
    ref: ItemRef,
    ttlMs: number | undefined,
    condition: number | "absent" | "present" | undefined,
  ): Promise<EphemeralResult>;
  /** Says again, with newer proof, that no durable item hides behind this ephemeral one. */
  proveEphemeral(
    ref: ItemRef,
    proof: { readonly version: number; readonly provenAt: LogPlace; readonly baseVersion: number },
  ): Promise<void>;
  /** Removes ephemeral items that match; walks all keys of this memory in bounded steps. Returns how many. */
  removeEphemeralWhere(
    scope: { readonly namespace: string; readonly below: boolean },
    matches: (ref: ItemRef) => boolean,
  ): Promise<number>;
  /** Called for what other servers announce (own messages too). Only ever makes things faster. */
  onMessage(listener: (message: BusMessage) => void): void;
}

export type BusMessage =
  | { readonly kind: "change"; readonly ref: ItemRef; readonly version: number }
  | {
      readonly kind: "clear";
      readonly namespace: string;
      readonly below: boolean;
      readonly version: number;
    }
  | { readonly kind: "wake" };
