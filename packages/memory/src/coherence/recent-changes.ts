import type { ItemRef } from "../model/item.ts";
import type { LogPlace } from "../tiers/shared.ts";
import { covers } from "./clear-scope.ts";
import type { Clear } from "./clear-scope.ts";
import type { ItemHash } from "./item-hash.ts";
import { VersionTable } from "./version-table.ts";

const SEGMENTS_MAX = 8;
const CHANGES_A_SEGMENT = 32_768;
/** Clears remembered; each is compared at every look-up, so there must be few. */
const CLEARS_MAX = 64;

/** What was learnt since one poll of the log. */
interface Segment {
  readonly versions: VersionTable;
  readonly clears: Clear[];
  /** Every change by a transaction from here on is in this segment or in a younger one. */
  readonly from: LogPlace;
}

/**
 * The newest version of every item that changed lately, and from which place in the log this is
 * complete. It judges copies that lie outside this process, where no invalidation reaches them surely:
 * see docs/decisions/006. Two items with one hash share the greater version: one of them is read from
 * the authority more often, neither is ever served old.
 *
 * Bounded: 8 segments of 32,768 changes, 16 bytes each in tables half full, so 8 MB at most. A full
 * table lets its oldest segment go, and vouches for a shorter past.
 */
export class RecentChanges {
  readonly #changesMax: number;
  #segments: Segment[] = [];
  readonly #hash: ItemHash;
  /** Where a segment made now would begin: the newest poll saw no change from there on. */
  #unborn: LogPlace = Number.POSITIVE_INFINITY;

  constructor(options: { readonly hash: ItemHash; readonly changesPerSegment?: number }) {
    this.#changesMax = options.changesPerSegment ?? CHANGES_A_SEGMENT;
    this.#hash = options.hash;
  }

  /** From which place on all changes are here; Infinity: nothing can be vouched for. */
  get completeFrom(): LogPlace {
    return this.#segments[0]?.from ?? Number.POSITIVE_INFINITY;
  }

  /** Following begins, or changes were missed: only what comes at `unborn` or later is complete. */
  restart(unborn: LogPlace): void {
    this.#unborn = unborn;
    this.#segments = [this.#newSegment()];
  }

  /**
   * A poll came whose snapshot saw no change from `unborn` on. Before its changes are noted: a segment
   * that begins among them has only some of them, but all that later polls bring.
   */
  advance(unborn: LogPlace): void {
    this.#unborn = unborn;
  }

  /** This item has had `version`. May be told early, by the bus, and again. */
  note(ref: ItemRef, version: number): void {
    this.#current()?.versions.raise(this.#hash.of(ref), version);
  }

  /** All that was in the namespace below `version` is gone. */
  noteClear(clear: Clear): void {
    this.#current()?.clears.push(clear);
    const clears = this.#segments.reduce((sum, segment) => sum + segment.clears.length, 0);
    if (clears <= CLEARS_MAX) return;
    // Which of them still matters is not known: vouch for nothing before now.
    if (this.#segments.length > 1) this.#segments.shift();
    else this.restart(this.#unborn);
  }

  /** The newest version known, of a clear of its namespace too; 0: it has not changed lately. */
  newest(ref: ItemRef, hash: number = this.#hash.of(ref)): number {
    let newest = 0;
    for (const { versions, clears } of this.#segments) {
      const known = versions.find(hash);
      if (known > newest) newest = known;
      for (const clear of clears)
        if (clear.version > newest && covers(clear, ref)) newest = clear.version;
    }
    return newest;
  }

  /**
   * Whether a copy of this version, proven as of `provenAt`, is as current as the last applied poll.
   */
  admits(ref: ItemRef, version: number, provenAt: LogPlace): boolean {
    return provenAt >= this.completeFrom && this.newest(ref) <= version;
  }

  #current(): Segment | undefined {
    const last = this.#segments.at(-1);
    if (last === undefined || last.versions.size < this.#changesMax) return last;
    const next = this.#newSegment();
    this.#segments.push(next);
    if (this.#segments.length > SEGMENTS_MAX) this.#segments.shift();
    return next;
  }

  #newSegment(): Segment {
    return { versions: new VersionTable(this.#changesMax), clears: [], from: this.#unborn };
  }
}
