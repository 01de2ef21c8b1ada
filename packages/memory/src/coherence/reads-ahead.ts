import type { ItemRef } from "../model/item.ts";
import { refId } from "../tiers/tier.ts";

const READS_MAX = 50_000;

/**
 * What this server has shown that the change log, as far as it was followed, may not have told it yet:
 * versions read from the authority since the last poll was sent. A copy in the shared tier that is
 * within the bound but below one of them would take a reader back in time.
 *
 * Two generations: what was noted before one poll was applied is in what the next poll shows.
 */
export class ReadsAhead {
  #young = new Map<string, number>();
  #old = new Map<string, number>();
  /** More was read than is remembered: nothing is admitted until polls have shown it all. */
  #overflowed = false;
  #oldOverflowed = false;

  /** The authority has shown this version; Infinity: it has shown that there is none. */
  note(ref: ItemRef, version: number): void {
    if (this.#young.size >= READS_MAX) {
      this.#overflowed = true;
      return;
    }
    const id = refId(ref);
    this.#young.set(id, Math.max(this.#young.get(id) ?? 0, version));
  }

  admits(ref: ItemRef, version: number): boolean {
    if (this.#overflowed || this.#oldOverflowed) return false;
    if (this.#young.size === 0 && this.#old.size === 0) return true;
    const id = refId(ref);
    return version >= (this.#young.get(id) ?? 0) && version >= (this.#old.get(id) ?? 0);
  }

  /** A poll was applied. Polls do not overlap: the next one is sent later than this. */
  applied(): void {
    this.#old = this.#young;
    this.#young = new Map();
    this.#oldOverflowed = this.#overflowed;
    this.#overflowed = false;
  }
}
