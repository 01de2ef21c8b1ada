import type { ItemRef } from "../model/item.ts";
import { covers } from "./clear-scope.ts";
import type { Clear } from "./clear-scope.ts";
import type { ItemHash } from "./item-hash.ts";
import { VersionTable } from "./version-table.ts";

/** Distinct items between two polls: half a million a second at the default bound. 4 MB at most, twice. */
const READS_MAX = 131_072;
const CLEARS_MAX = 64;

/** What was noted between two polls. */
class Generation {
  readonly versions = new VersionTable(READS_MAX);
  /** Of items that were shown to be absent. Beside the versions: to a copy made here they say nothing. */
  readonly absences = new Set<number>();
  readonly clears: Clear[] = [];
  /** More was read than is remembered: nothing is admitted until polls have shown it all. */
  isFull = false;

  admits(hash: number, version: number): boolean {
    return this.admitsFill(hash, version) && !this.absences.has(hash);
  }

  admitsFill(hash: number, version: number): boolean {
    return !this.isFull && version >= this.versions.find(hash);
  }

  note(hash: number, version: number): void {
    if (this.versions.size >= READS_MAX || this.absences.size >= READS_MAX) this.isFull = true;
    else if (version === Number.POSITIVE_INFINITY) this.absences.add(hash);
    else this.versions.raise(hash, version);
  }

  hides(ref: ItemRef, version: number): boolean {
    return this.clears.some((clear) => clear.version > version && covers(clear, ref));
  }
}

/**
 * What this server has shown or done that the change log, as far as it was followed, may not have told
 * it yet: since the last poll was sent. A copy that is within the bound but below one of them would take
 * a reader back in time, whether it lies in the shared tier or is about to be made here of an answer
 * that was slow. Two items with one hash share the greater version, which only makes more of them be
 * read from the authority.
 *
 * Two generations: what was noted before one poll was applied is in what the next poll shows.
 */
export class ReadsAhead {
  readonly #hash: ItemHash;
  #young = new Generation();
  #old = new Generation();

  constructor(hash: ItemHash) {
    this.#hash = hash;
  }

  /** This version was shown or written; Infinity: that there is none was shown. */
  note(ref: ItemRef, version: number, hash: number = this.#hash.of(ref)): void {
    this.#young.note(hash, version);
  }

  noteClear(clear: Clear): void {
    if (this.#young.clears.length >= CLEARS_MAX) this.#young.isFull = true;
    else this.#young.clears.push(clear);
  }

  admits(ref: ItemRef, version: number, hash: number = this.#hash.of(ref)): boolean {
    if (!this.#young.admits(hash, version) || !this.#old.admits(hash, version)) return false;
    return !this.#young.hides(ref, version) && !this.#old.hides(ref, version);
  }

  /**
   * Whether an answer may become a copy in this process. That an item is absent only the authority
   * says, and then queries in flight hear of it by their fill tokens: what comes later may be kept.
   */
  admitsFill(ref: ItemRef, version: number): boolean {
    const hash = this.#hash.of(ref);
    return this.#young.admitsFill(hash, version) && this.#old.admitsFill(hash, version);
  }

  /** A poll was applied. Polls do not overlap: the next one is sent later than this. */
  applied(): void {
    this.#old = this.#young;
    this.#young = new Generation();
  }
}
