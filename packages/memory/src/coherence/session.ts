import type { ItemRef } from "../model/item.ts";
import { EPHEMERAL_VERSION_MIN } from "../model/version.ts";
import { covers, joinHorizons } from "./horizon.ts";
import type { Horizon } from "./horizon.ts";
import { sessionHash } from "./session-hash.ts";
import { ABSENT, ENTRIES_MAX, encodeSession } from "./session-token.ts";
import type { Demands } from "./session-token.ts";

/** Which copies of an item are new enough for one read. */
export interface Demand {
  /** Copies below it are not served; Infinity: only the authority may answer. */
  minVersion(ref: ItemRef): number;
}

/** What one session has seen, as far as this server must know it. */
export interface Session {
  /** What a read that begins now may be shown. At once where this server knows enough already. */
  demand(): Demand | Promise<Demand>;
  /** Take it before an operation, and give it to `saw` after: what was seen between may be newer. */
  begin(): number;
  /**
   * The authority has shown or given this version, or with undefined that there is no item. `since`
   * is -1 for a read that did not keep to the demand.
   */
  saw(ref: ItemRef, version: number | undefined, since: number): void;
  /** A read has shown it, perhaps from a copy. */
  sawRead(ref: ItemRef, version: number | undefined, since: number): void;
  /** An operation has shown or changed what cannot be told item by item. */
  sawMuch(): Promise<void>;
  /** Makes room in the token, where that is needed. Before the token is taken. */
  settle(): Promise<void> | undefined;
  /** Never longer than a token may be, and never without a demand. */
  readonly token: string;
}

/** How far this server has followed the log. */
export interface Sight {
  /** What all copies here show; undefined before the first poll. */
  shown(): { readonly epoch: number; readonly horizon: Horizon } | undefined;
  /** Resolves when copies here show all that anybody saw before the call. */
  refresh(): Promise<void>;
  /** What a copy of this item shows at most; undefined: perhaps more than can be said. */
  boundOf(ref: ItemRef): Horizon | undefined;
}

interface Entry {
  readonly version: number;
  readonly stamp: number;
}

const NO_DEMAND: Demand = { minVersion: () => 0 };
const ONLY_AUTHORITY: Demand = { minVersion: () => Number.POSITIVE_INFINITY };

/** A session over an authority that other servers write to. See docs/decisions/007. */
export class FollowedSession implements Session, Demand {
  readonly #sight: Sight;
  #epoch: number;
  #floor: Demands["floor"];
  /** When the floor became "everything". */
  #floorStamp = 0;
  readonly #entries = new Map<number, Entry>();
  /** Counts what was seen, so that a slow operation cannot take back what came meanwhile. */
  #stamp = 0;
  #encoded: { readonly text: string | undefined } | undefined;

  /** `token`: the text that says these demands, where there is one. */
  constructor(sight: Sight, demands: Demands, token?: string) {
    this.#sight = sight;
    this.#epoch = demands.epoch;
    // Most reads change nothing of what is demanded: then the text goes back as it came.
    if (token !== undefined) this.#encoded = { text: token };
    this.#floor = demands.floor;
    for (const [hash, version] of demands.versions) this.#entries.set(hash, { version, stamp: 0 });
  }

  demand(): Demand | Promise<Demand> {
    if (this.#isFloorShown()) return this.#entries.size === 0 ? NO_DEMAND : this;
    return this.#refresh().then((isShown) => (isShown ? NO_DEMAND : ONLY_AUTHORITY));
  }

  minVersion(ref: ItemRef): number {
    return this.#entries.get(sessionHash(ref))?.version ?? 0;
  }

  begin(): number {
    return this.#stamp;
  }

  saw(ref: ItemRef, version: number | undefined, since: number): void {
    if (this.#sight.shown()?.epoch !== this.#epoch) this.#demandEverything();
    else if (version === undefined) this.#enter(sessionHash(ref), ABSENT);
    else if (version < EPHEMERAL_VERSION_MIN) this.#raise(sessionHash(ref), version, since);
  }

  sawRead(ref: ItemRef, version: number | undefined, since: number): void {
    const bound = version === undefined ? undefined : this.#sight.boundOf(ref);
    if (bound === undefined || this.#sight.shown()?.epoch !== this.#epoch)
      this.saw(ref, version, since);
    else this.#raiseFloor(bound);
  }

  async sawMuch(): Promise<void> {
    await this.#fold();
  }

  settle(): Promise<void> | undefined {
    return this.#text() === undefined ? this.#fold() : undefined;
  }

  get token(): string {
    const text = this.#text();
    if (text !== undefined) return text;
    // Not settled: another operation of the session is still doing it.
    const versions = new Map<number, number>();
    return encodeSession({ epoch: this.#epoch, floor: "everything", versions }) ?? "";
  }

  #text(): string | undefined {
    this.#encoded ??= { text: encodeSession(this.#demands()) };
    return this.#encoded.text;
  }

  #demands(): Demands {
    const versions = new Map<number, number>();
    // "Everything" says more than all of them.
    if (this.#floor !== "everything")
      for (const [hash, { version }] of this.#entries) versions.set(hash, version);
    return { epoch: this.#epoch, floor: this.#floor, versions };
  }

  #isFloorShown(): boolean {
    const shown = this.#sight.shown();
    if (shown?.epoch !== this.#epoch || this.#floor === "everything") return false;
    return this.#floor === undefined || covers(shown.horizon, this.#floor);
  }

  /** False when the authority could not be asked. */
  async #refresh(): Promise<boolean> {
    const until = this.#stamp;
    try {
      await this.#sight.refresh();
    } catch {
      // The read goes to the authority and fails with the reason, if it is still away.
      return false;
    }
    const isOtherEpoch = this.#sight.shown()?.epoch !== this.#epoch;
    if (isOtherEpoch || this.#floor === "everything") this.#foldUntil(until);
    return true;
  }

  /** Puts all that was seen so far into the floor. */
  async #fold(): Promise<void> {
    const until = this.#stamp;
    try {
      await this.#sight.refresh();
      this.#foldUntil(until);
    } catch {
      this.#demandEverything();
    }
  }

  /** A poll sent after `until` is applied: it shows all that was seen until then. */
  #foldUntil(until: number): void {
    const shown = this.#sight.shown();
    if (shown === undefined || (shown.epoch !== this.#epoch && this.#stamp > until)) {
      this.#demandEverything();
      return;
    }
    this.#epoch = shown.epoch;
    if (this.#floor !== "everything" || this.#floorStamp <= until) this.#floor = shown.horizon;
    for (const [hash, { stamp }] of this.#entries) if (stamp <= until) this.#entries.delete(hash);
    this.#encoded = undefined;
  }

  #demandEverything(): void {
    this.#epoch = this.#sight.shown()?.epoch ?? this.#epoch;
    this.#floor = "everything";
    this.#entries.clear();
    this.#floorStamp = this.#next();
  }

  #raiseFloor(bound: Horizon): void {
    if (this.#floor === "everything") return;
    if (this.#floor !== undefined && covers(this.#floor, bound)) return;
    this.#floor = this.#floor === undefined ? bound : joinHorizons(this.#floor, bound);
    this.#encoded = undefined;
  }

  #raise(hash: number, version: number, since: number): void {
    const known = this.#entries.get(hash);
    // What answers after an absence, and was asked after it too, was written after it.
    const isAfter = known?.version === ABSENT && known.stamp <= since;
    if (known === undefined || isAfter || version > known.version) this.#enter(hash, version);
  }

  #enter(hash: number, version: number): void {
    // "Everything" so far stands for them; they are kept for the case that it is met before they are.
    if (this.#floor === "everything" && this.#entries.size >= ENTRIES_MAX) this.#demandEverything();
    this.#entries.set(hash, { version, stamp: this.#next() });
  }

  #next(): number {
    this.#stamp += 1;
    this.#encoded = undefined;
    return this.#stamp;
  }
}

/** A session over an authority that nobody else writes to: every copy is always new enough. */
export class ExclusiveSession implements Session {
  readonly token: string;

  constructor(token: string) {
    this.token = token;
  }

  demand(): Demand {
    return NO_DEMAND;
  }

  begin(): number {
    return 0;
  }

  saw(): void {}

  sawRead(): void {}

  async sawMuch(): Promise<void> {}

  settle(): undefined {}
}
