import type { Codec } from "../codec/codec.ts";
import type { MemoryConfig } from "../config/config.ts";
import type { Copies } from "../coherence/copies.ts";
import type { Validity } from "../coherence/validity.ts";
import type { Clock } from "../model/clock.ts";
import { MemoryError } from "../model/errors.ts";
import type { ItemRecord, ItemRef, JsonObject, JsonValue, MemoryTier } from "../model/item.ts";
import type { AuthorityTier } from "../tiers/authority.ts";
import type { AccessLog } from "./access-log.ts";
import type { EphemeralStore } from "./ephemeral-store.ts";
import type { MoveLog } from "./move-log.ts";
import type { Doorkeeper } from "./promotion.ts";
import type { SingleFlight } from "./single-flight.ts";

export type Lifecycle = "new" | "ready" | "closed";

/** The parts that all operations share. Made once, by the manager. */
export interface Core {
  readonly config: MemoryConfig;
  readonly clock: Clock;
  readonly codec: Codec;
  readonly copies: Copies;
  readonly validity: Validity;
  readonly authority: AuthorityTier;
  /** Absent where ephemeral items have no authority. */
  readonly ephemeral: EphemeralStore | undefined;
  readonly accesses: AccessLog;
  readonly moves: MoveLog;
  readonly doorkeeper: Doorkeeper;
  readonly flights: SingleFlight;
  lifecycle: Lifecycle;
}

/** Refuses work before `initialize` and after `close`. */
export function assertReady(core: Core): void {
  if (core.lifecycle === "ready") return;
  throw core.lifecycle === "closed"
    ? new MemoryError("CLOSED", "the memory is closed; make a new one")
    : new MemoryError("NOT_INITIALIZED", "the memory is not ready; await initialize() first");
}

/** An item as some tier gave it; exactly one of `record` and `value` says what it holds. */
export interface Served {
  readonly tier: MemoryTier;
  readonly record: ItemRecord;
}

export const NO_METADATA: JsonObject = Object.freeze({});
export const NO_TAGS: readonly string[] = Object.freeze([]);

export function ref(namespace: string, key: string): ItemRef {
  return { namespace, key };
}

export type Decoded = JsonValue;
