import type { Codec } from "../codec/codec.ts";
import type { Copies } from "../coherence/copies.ts";
import type { ReadsAhead } from "../coherence/reads-ahead.ts";
import type { Sessions } from "../coherence/sessions.ts";
import type { SharedCopies } from "../coherence/shared-copies.ts";
import type { Validity } from "../coherence/validity.ts";
import type { MemoryConfig } from "../config/config.ts";
import type { Metrics } from "../metrics/metrics.ts";
import type { Clock, Random } from "../model/clock.ts";
import type { JsonObject } from "../model/item.ts";
import type { ItemReader } from "../recall/indexing/document-reader.ts";
import type { AuthorityTier } from "../tiers/authority.ts";
import type { VectorTier } from "../tiers/vector.ts";
import type { AccessLog } from "./access-log.ts";
import type { EphemeralStore } from "./ephemeral-store.ts";
import type { MoveLog } from "./move-log.ts";
import type { Doorkeeper } from "./promotion.ts";
import type { SingleFlight } from "./single-flight.ts";

/** The parts that all operations share. Made once, when the manager initializes. */
export interface Core {
  readonly config: MemoryConfig;
  readonly clock: Clock;
  readonly random: Random;
  readonly metrics: Metrics;
  readonly codec: Codec;
  readonly copies: Copies;
  readonly validity: Validity;
  readonly sessions: Sessions;
  readonly authority: AuthorityTier;
  /** Search by meaning; its health tells whether it can be had. Absent where it is switched off. */
  readonly vectors: VectorTier | undefined;
  /** The tier that all servers see, judged by the change log; absent where there is none. */
  readonly shared: SharedCopies | undefined;
  /** Present with `shared`. */
  readonly readsAhead: ReadsAhead | undefined;
  /** Where one process owns the data: the authority of ephemeral items. With `shared` it is that tier. */
  readonly ephemeral: EphemeralStore | undefined;
  readonly accesses: AccessLog;
  readonly moves: MoveLog;
  readonly doorkeeper: Doorkeeper;
  readonly flights: SingleFlight;
  /** Reads items and queries into words. */
  readonly reader: ItemReader;
  readonly writes: WriteCount;
}

/** Writes of this server since it started: what works in the background gives way to them. */
export interface WriteCount {
  count: number;
}

export const NO_METADATA: JsonObject = Object.freeze({});
export const NO_TAGS: readonly string[] = Object.freeze([]);
