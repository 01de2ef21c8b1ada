import type { Clock } from "../model/clock.ts";
import type { ItemRecord, ItemRef, TierOutcome } from "../model/item.ts";
import type { KnownAsOf } from "../tiers/authority.ts";
import type {
  BusMessage,
  LeaseToken,
  LogPlace,
  SettledChange,
  SharedCopy,
  SharedEntry,
  SharedTier,
} from "../tiers/shared.ts";
import type { Copies } from "./copies.ts";
import type { AppliedPoll } from "./follower.ts";
import type { ItemHash } from "./item-hash.ts";
import type { ReadsAhead } from "./reads-ahead.ts";
import type { RecentFills } from "./recent-fills.ts";
import type { RecentChanges } from "./recent-changes.ts";

/** Changes on their way to the shared tier. Beyond it they are left to the log: nobody waits for them. */
const SETTLING_MAX = 10_000;

const NOTHING: Found = { proven: [], unsure: undefined };

export interface SharedCopiesOptions {
  readonly tier: SharedTier;
  readonly copies: Copies;
  /** Of `recent`, `readsAhead` and `fills`. */
  readonly hash: ItemHash;
  readonly recent: RecentChanges;
  readonly readsAhead: ReadsAhead;
  readonly fills: Pick<RecentFills, "record">;
  readonly clock: Clock;
  /** Whether what was applied is recent enough to serve by. */
  readonly isProven: () => boolean;
  /** The follower's last applied poll. */
  readonly applied: () => AppliedPoll | undefined;
  /** Of the authority; see `AuthorityTier`. */
  readonly newestVersions: (known: readonly KnownAsOf[]) => Promise<readonly number[]>;
  /** The bus says that the log should be read now. */
  readonly onWake: () => void;
  /** Told of what the shared tier could not do; reads and writes go on without it. */
  readonly onError: (error: unknown) => void;
}

/**
 * What is thought of an entry. proven: may be served while the validity holds; unsure: an ephemeral
 * item, unless the authority has a durable one, for it is too old to tell here.
 */
export type Verdict = "proven" | "unsure" | "unproven" | "outdated";

/** An entry with what is thought of it, for people. */
export interface Inspection {
  readonly entry: SharedEntry;
  readonly verdict: Verdict;
}

/** What lies in the shared tier, judged. */
export interface Found {
  /** Proven ones, in the order asked. */
  readonly proven: readonly (SharedEntry | undefined)[];
  /** Ephemeral items that the authority must allow, by place. */
  readonly unsure: ReadonlyMap<number, SharedEntry> | undefined;
}

/** A place in the log. It means nothing in another epoch, whose database numbers anew. */
export interface EpochPlace {
  readonly provenAt: LogPlace;
  readonly epoch: string;
}

/** The right to fill what was missing, taken before the authority is read. */
export interface Reservation extends EpochPlace {
  readonly leases: readonly (LeaseToken | undefined)[];
}

/**
 * The shared tier as the other parts may use it: what it holds is given only with proof from the
 * change log, and what is read from the authority enters only under a lease. No failure of it fails a
 * read or a write. See docs/decisions/006.
 */
export class SharedCopies {
  readonly tier: SharedTier;
  readonly #options: SharedCopiesOptions;
  #settling = 0;

  constructor(options: SharedCopiesOptions) {
    this.#options = options;
    this.tier = options.tier;
    options.tier.onMessage((message) => {
      this.#hear(message);
    });
  }

  /**
   * What of these may be served, judged by what was applied when the answer is here. The caller asks
   * `Validity` after it, not before. Nothing also when the tier does not answer. Copies that are given
   * count as shown: they must not be followed by something older, from wherever.
   */
  async find(refs: readonly ItemRef[]): Promise<Found> {
    try {
      return this.#judgeAll(refs, await this.tier.findMany(refs));
    } catch (error) {
      this.#options.onError(error);
      return NOTHING;
    }
  }

  /**
   * The ephemeral items of these keys, live and in force; the authority is asked of those that cannot
   * be judged here, which are all while the log is not
   * followed closely enough. "unknown": the tier does not answer.
   */
  async findEphemeral(
    refs: readonly ItemRef[],
  ): Promise<readonly (ItemRecord | undefined)[] | "unknown"> {
    let entries: readonly (SharedEntry | undefined)[];
    try {
      entries = await this.tier.findMany(refs);
    } catch (error) {
      this.#options.onError(error);
      return "unknown";
    }
    const isProven = this.#options.isProven();
    const nowMs = this.#options.clock.monotonicMs();
    const doubtful = new Map<number, SharedEntry>();
    const records: (ItemRecord | undefined)[] = refs.map((ref, index) => {
      const entry = entries[index];
      if (entry?.kind !== "ephemeral") return undefined;
      const verdict = this.#verdict(ref, entry, nowMs);
      if (verdict === "proven" && isProven) return entry.record;
      if (verdict === "proven" || verdict === "unsure") doubtful.set(index, entry);
      return undefined;
    });
    if (doubtful.size === 0) return records;
    for (const [index, record] of await this.settleDoubts(doubtful)) records[index] = record;
    return records;
  }

  /**
   * Asks the authority of ephemeral items that are too old to judge, and gives those that stand. One
   * that a durable change has ended since is removed; the proof of the others is made anew.
   */
  async settleDoubts(
    doubtful: ReadonlyMap<number, SharedEntry>,
  ): Promise<ReadonlyMap<number, ItemRecord>> {
    const { newestVersions, onError } = this.#options;
    const place = this.place();
    const newest = await newestVersions(
      [...doubtful.values()].map(({ record: { namespace, key }, provenAt }) => ({
        namespace,
        key,
        since: provenAt,
      })),
    );
    const standing = new Map<number, ItemRecord>();
    let next = 0;
    for (const [index, { record, baseVersion }] of doubtful) {
      const { version } = record;
      if ((newest[next++] ?? 0) > baseVersion) {
        this.tier.removeEphemeral(record, version).catch(onError);
        continue;
      }
      standing.set(index, record);
      if (place !== undefined && this.isOfNow(place))
        this.tier
          .proveEphemeral(record, { version, provenAt: place.provenAt, baseVersion })
          .catch(onError);
    }
    return standing;
  }

  /** The newest durable version of this key that the log has told lately. */
  newest(ref: ItemRef): number {
    return this.#options.recent.newest(ref);
  }

  /** What lies there, and what is thought of it. Rejects when the tier does not answer. */
  async inspect(ref: ItemRef): Promise<Inspection | undefined> {
    const [entry] = await this.tier.findMany([ref]);
    const nowMs = this.#options.clock.monotonicMs();
    return entry && { entry, verdict: this.#verdict(ref, entry, nowMs) };
  }

  /** Asks for leases; call it before the authority is read. Undefined: nothing may be filled. */
  async reserve(refs: readonly ItemRef[]): Promise<Reservation | undefined> {
    const { recent, onError } = this.#options;
    const place = this.place();
    if (place === undefined) return undefined;
    const { provenAt } = place;
    const { completeFrom } = recent;
    // A copy that says less than this server can judge would be refused by it again and again.
    if (provenAt < completeFrom) return undefined;
    try {
      const requests = refs.map(({ namespace, key }) => ({
        namespace,
        key,
        minVersion: recent.newest({ namespace, key }),
        minProvenAt: completeFrom - 1,
      }));
      return { ...place, leases: await this.tier.lease(requests) };
    } catch (error) {
      onError(error);
      return undefined;
    }
  }

  /**
   * Puts in what the authority gave for the refs of a reservation; undefined where there is no item,
   * and always called, so that no lease stays with nobody to use it. Which of them are in now.
   */
  async fill(
    refs: readonly ItemRef[],
    reservation: Reservation,
    records: readonly (ItemRecord | undefined)[],
  ): Promise<readonly boolean[]> {
    const { provenAt, leases } = reservation;
    const filled = refs.map(() => false);
    const copies: (SharedCopy & { readonly lease: LeaseToken; readonly index: number })[] = [];
    const unused: (ItemRef & { readonly lease: LeaseToken })[] = [];
    for (const [index, lease] of leases.entries()) {
      const ref = refs[index];
      const record = records[index];
      if (lease === undefined || ref === undefined) continue;
      if (record === undefined || !this.isOfNow(reservation))
        unused.push({ namespace: ref.namespace, key: ref.key, lease });
      else copies.push({ record, provenAt, lease, index });
    }
    try {
      if (unused.length > 0) this.tier.release(unused).catch(this.#options.onError);
      const stored = copies.length === 0 ? [] : await this.tier.fill(copies);
      for (const [at, { index }] of copies.entries()) filled[index] = stored[at] === true;
    } catch (error) {
      this.#options.onError(error);
    }
    return filled;
  }

  /** The place as of which a value written or read from now on is proven; undefined: of none. */
  place(): EpochPlace | undefined {
    const applied = this.#options.applied();
    return applied && { provenAt: applied.settled, epoch: applied.epoch };
  }

  /** Whether a place still means something: asked in the step in which it is sent to the tier. */
  isOfNow(place: EpochPlace): boolean {
    return this.#options.applied()?.epoch === place.epoch;
  }

  /**
   * This version of a key has been committed here. In the step in which that is known: what is read from
   * the tier meanwhile may be older.
   */
  note(ref: ItemRef, version: number): void {
    const { recent, readsAhead } = this.#options;
    recent.note(ref, version);
    // A poll that was sent before may make the recent changes begin anew.
    readsAhead.note(ref, version);
  }

  /**
   * Tells the shared tier and the other servers what has committed; resolves to what became of it
   * there. The receipt of one who does not wait says "pending". `place`: of the proof of all copies.
   */
  async settle(
    changes: readonly SettledChange[],
    place?: EpochPlace,
  ): Promise<readonly TierOutcome[]> {
    const { onError } = this.#options;
    for (const change of changes) this.note(change, change.version);
    if (this.#settling + changes.length > SETTLING_MAX) return changes.map(() => "failed");
    this.#settling += changes.length;
    try {
      const isOfNow = place !== undefined && this.isOfNow(place);
      const outcomes = await this.tier.settle(
        isOfNow ? changes : changes.map((change) => ({ ...change, copy: undefined })),
      );
      return outcomes.map((outcome) => (outcome === "stored" ? "stored" : "skipped"));
    } catch (error) {
      onError(error);
      return changes.map(() => "failed");
    } finally {
      this.#settling -= changes.length;
    }
  }

  /** A namespace was cleared here. */
  async announceClear(clear: {
    readonly namespace: string;
    readonly below: boolean;
    readonly version: number;
  }): Promise<void> {
    this.#options.recent.noteClear(clear);
    this.#options.readsAhead.noteClear(clear);
    try {
      await this.tier.announce(clear);
    } catch (error) {
      this.#options.onError(error);
    }
  }

  /**
   * What lies there of this item cannot be read: its place is made free, in the background, for the next
   * reader to fill. Whatever its proof is, a copy makes way for such a lease.
   */
  discard({ namespace, key }: ItemRef): void {
    const request = { namespace, key, minVersion: 0, minProvenAt: Number.MAX_SAFE_INTEGER };
    const made = this.tier.lease([request]).then(async ([lease]) => {
      if (lease !== undefined) await this.tier.release([{ namespace, key, lease }]);
    });
    made.catch(this.#options.onError);
  }

  /** It may not do what it is asked. */
  isTroubled(): boolean {
    return this.tier.health().status !== "ready";
  }

  #judgeAll(refs: readonly ItemRef[], entries: readonly (SharedEntry | undefined)[]): Found {
    const { clock, hash, readsAhead, fills } = this.#options;
    const nowMs = clock.monotonicMs();
    const proven: (SharedEntry | undefined)[] = [];
    let unsure: Map<number, SharedEntry> | undefined;
    for (let index = 0; index < refs.length; index += 1) {
      const ref = refs[index];
      const entry = entries[index];
      let given: SharedEntry | undefined;
      if (ref !== undefined && entry !== undefined) {
        const hashed = hash.of(ref);
        const verdict = this.#verdict(ref, entry, nowMs, hashed);
        if (verdict === "proven") {
          given = entry;
          if (entry.kind === "copy") {
            readsAhead.note(ref, entry.record.version, hashed);
            fills.record(ref, hashed);
          }
        } else if (verdict === "unsure") (unsure ??= new Map()).set(index, entry);
      }
      proven.push(given);
    }
    return { proven, unsure };
  }

  #verdict(
    ref: ItemRef,
    entry: SharedEntry,
    nowMs: number,
    hashed: number = this.#options.hash.of(ref),
  ): Verdict {
    const { recent, readsAhead } = this.#options;
    const { record, provenAt, baseVersion } = entry;
    if (record.deadlineMs <= nowMs) return "outdated";
    const isCopy = entry.kind === "copy";
    // A durable change since an ephemeral item was set ends it, wherever it still lies.
    const version = isCopy ? record.version : baseVersion;
    if (recent.newest(ref, hashed) > version) return "outdated";
    if (provenAt < recent.completeFrom) return isCopy ? "unproven" : "unsure";
    return isCopy && !readsAhead.admits(ref, version, hashed) ? "outdated" : "proven";
  }

  #hear(message: BusMessage): void {
    const { copies, recent, onWake } = this.#options;
    if (message.kind === "wake") onWake();
    else if (message.kind === "clear") {
      recent.noteClear(message);
      copies.invalidateNamespace(message.namespace, message.below);
    } else {
      recent.note(message.ref, message.version);
      copies.invalidate(message.ref, message.version);
    }
  }
}
