import type {
  ItemMeta,
  ItemRef,
  ItemRecord,
  MemoryTier,
  ObjectRecord,
  TierOutcome,
} from "../model/item.ts";
import type { ByteTier, ObjectTier } from "../tiers/tier.ts";
import { toMemoryError } from "../model/errors.ts";
import type { ErrorCode } from "../model/errors.ts";
import { ChangeWatches } from "./change-watches.ts";
import { FillGuard } from "./fill-guard.ts";
import type { FillToken } from "./fill-guard.ts";
import type { ReadsAhead } from "./reads-ahead.ts";
import type { RecentFills } from "./recent-fills.ts";

/** The in-process tiers, each absent when it is switched off. */
export interface LocalTiers {
  readonly objects: ObjectTier | undefined;
  readonly bytes: ByteTier | undefined;
}

/** What has to be told and asked where others write too. */
export interface CopyWitnesses {
  /** Told of each copy before it can be seen. */
  readonly fills: Pick<RecentFills, "record">;
  /** Knows what was shown from the shared tier; undefined where there is none. */
  readonly readsAhead: ReadsAhead | undefined;
}

/** Failures after which nobody knows whether the change was made; all others surely changed nothing. */
const DOUBTFUL: ReadonlySet<ErrorCode> = new Set([
  "OUTCOME_UNKNOWN",
  "DEADLINE_EXCEEDED",
  "INTERNAL",
]);

/** Whether a change that failed so may have been made all the same: then no copy from before is trusted. */
export function mayHaveHappened(error: unknown): boolean {
  return DOUBTFUL.has(toMemoryError(error).code);
}

/** Everything that changes copies goes through here, so that no tier and no query in flight is forgotten. */
export class Copies {
  readonly objects: ObjectTier | undefined;
  readonly bytes: ByteTier | undefined;
  readonly guard: FillGuard = new FillGuard();
  /** Who waits for an item that somebody else makes. */
  readonly watches: ChangeWatches = new ChangeWatches();
  /** Absent where nobody else writes. */
  readonly #witnesses: CopyWitnesses | undefined;
  #sealed = false;

  constructor(tiers: LocalTiers, witnesses?: CopyWitnesses) {
    this.objects = tiers.objects;
    this.bytes = tiers.bytes;
    this.#witnesses = witnesses;
  }

  /** From now on nothing is kept and nothing is left to drop: the memory closes. */
  seal(): void {
    this.#sealed = true;
  }

  /**
   * Keeps an encoded copy if nothing newer was seen since the token was taken. Also to be called for
   * what is only shown: it is how sessions learn that this server has seen something new.
   */
  fill(token: FillToken, record: ItemRecord): TierOutcome {
    this.#witnesses?.fills.record(record);
    return this.keep(token, record);
  }

  /** The same of what was told of already. */
  keep(token: FillToken, record: ItemRecord): TierOutcome {
    if (this.bytes === undefined || !this.#mayKeep(token, record)) return "skipped";
    return this.bytes.offer(record) === "stored" ? "stored" : "skipped";
  }

  /** The same for a decoded copy. */
  fillObject(token: FillToken, record: ObjectRecord): TierOutcome {
    this.#witnesses?.fills.record(record);
    if (this.objects === undefined || !this.#mayKeep(token, record)) return "skipped";
    return this.objects.offer(record) === "stored" ? "stored" : "skipped";
  }

  /** A change of this item to `version` has committed (Infinity: nobody knows to which). */
  invalidate(ref: ItemRef, version: number): void {
    if (this.#sealed) return;
    this.guard.raise(ref, version);
    this.retire(ref, version);
  }

  /**
   * A copy of the shared tier shows that this item is at this version: no copy here may say otherwise.
   * No query in flight is told, for that costs each of them: what is noted in `ReadsAhead` keeps an
   * older answer from becoming a copy.
   */
  retire(ref: ItemRef, version: number): void {
    if (this.#sealed) return;
    // Without a version nothing new is known to be there.
    if (version < Number.POSITIVE_INFINITY) this.watches.tell(ref);
    this.objects?.drop(ref.namespace, ref.key, version);
    this.bytes?.drop(ref.namespace, ref.key, version);
  }

  invalidateNamespace(namespace: string, below: boolean): void {
    if (this.#sealed) return;
    const prefix = namespace === "" ? "" : `${namespace}/`;
    this.guard.raiseWhere(
      (ref) => ref.namespace === namespace || (below && ref.namespace.startsWith(prefix)),
    );
    this.objects?.dropNamespace(namespace, below);
    this.bytes?.dropNamespace(namespace, below);
  }

  /** Forgets all copies: the epoch changed, or changes may have been missed. */
  flush(): void {
    if (this.#sealed) return;
    this.guard.raiseWhere(() => true);
    this.objects?.flush();
    this.bytes?.flush();
  }

  #mayKeep(token: FillToken, record: ItemMeta): boolean {
    const { version } = record;
    if (this.#sealed || !token.allows(record, version)) return false;
    return this.#witnesses?.readsAhead?.admitsFill(record, version) ?? true;
  }

  /** What became of the copies of a write that was stored by `authority`. */
  static outcomes(
    authority: MemoryTier,
    local: readonly (readonly [MemoryTier | undefined, TierOutcome])[],
  ): { readonly [tier in MemoryTier]?: TierOutcome } {
    const outcomes: { [tier in MemoryTier]?: TierOutcome } = {};
    for (const [tier, outcome] of local) if (tier !== undefined) outcomes[tier] = outcome;
    outcomes[authority] = "stored";
    return outcomes;
  }
}
