import type { ItemRef } from "../model/item.ts";

/** Changes remembered for queries in flight. Beyond it no answer under way may become a copy. */
const CHANGES_MAX = 16_384;
/** As many are looked through one by one, in 0.2 µs; more are found by key. */
const SCAN_MAX = 256;
/** So many that no query in flight needs are thrown away at once. */
const TRIM_MIN = 1024;

/** Answers below `version` for this item are older than a change that was seen. */
interface Change extends ItemRef {
  readonly version: number;
  /** Instead of the item: all that match, whichever version they bring. */
  readonly matches: ((ref: ItemRef) => boolean) | undefined;
}

/** Changes that some query in flight has to know, oldest first. */
class ChangeLog {
  /** Place of the first one: places only grow. */
  start = 0;
  readonly changes: Change[] = [];

  get end(): number {
    return this.start + this.changes.length;
  }

  /** Forgets all before a place. */
  trim(place: number): void {
    const count = Math.min(place - this.start, this.changes.length);
    this.changes.splice(0, count);
    this.start += count;
  }
}

/** Taken before a query whose answer may become a copy; refuses answers that a later change outran. */
export class FillToken {
  /** Changes from this place on were seen after it was taken. */
  readonly place: number;
  readonly #log: ChangeLog;
  /** Made when there is much to look through. */
  #byKey: Map<string, Change[]> | undefined;
  #patterns: Change[] | undefined;
  #indexedTo: number;
  /** Neighbours in the order of their places. Only the guard touches them. */
  before: FillToken | undefined;
  after: FillToken | undefined;

  constructor(log: ChangeLog) {
    this.#log = log;
    this.place = log.end;
    this.#indexedTo = this.place;
  }

  /** Whether this version of an item may be kept. One token serves all items of one query. */
  allows(ref: ItemRef, version: number): boolean {
    const { start, end, changes } = this.#log;
    if (end === this.place) return true;
    // What it had to know is gone.
    if (this.place < start) return false;
    if (end - this.place > SCAN_MAX) return this.#allowsByKey(ref, version);
    for (let at = this.place - start; at < changes.length; at += 1)
      if (outruns(changes[at], ref, version)) return false;
    return true;
  }

  #allowsByKey(ref: ItemRef, version: number): boolean {
    const byKey = this.#index();
    for (const change of byKey.get(ref.key) ?? []) if (outruns(change, ref, version)) return false;
    for (const change of this.#patterns ?? []) if (outruns(change, ref, version)) return false;
    return true;
  }

  /** Brought up to the end of the log. */
  #index(): Map<string, Change[]> {
    const byKey = (this.#byKey ??= new Map<string, Change[]>());
    const patterns = (this.#patterns ??= []);
    const { start, end, changes } = this.#log;
    for (; this.#indexedTo < end; this.#indexedTo += 1) {
      const change = changes[this.#indexedTo - start];
      if (change === undefined) continue;
      if (change.matches !== undefined) patterns.push(change);
      else {
        const known = byKey.get(change.key);
        if (known === undefined) byKey.set(change.key, [change]);
        else known.push(change);
      }
    }
    return byKey;
  }
}

function outruns(change: Change | undefined, ref: ItemRef, version: number): boolean {
  if (change === undefined) return false;
  if (change.matches !== undefined) return change.matches(ref);
  return version < change.version && change.key === ref.key && change.namespace === ref.namespace;
}

/**
 * Stops a slow read from putting back what a write, delete or invalidation removed while it was on
 * its way. "Only if newer" in the tier is not enough: after a delete there is nothing to compare with.
 *
 * What changes while queries are in flight is written down once, and each answer looks through what
 * came after its question: mostly nothing. A register of the keys in flight, one entry a key, took
 * 0.3 µs a key of every batch; this takes nothing a key.
 */
export class FillGuard {
  readonly #log = new ChangeLog();
  #oldest: FillToken | undefined;
  #newest: FillToken | undefined;
  #size = 0;

  begin(): FillToken {
    const token = new FillToken(this.#log);
    token.before = this.#newest;
    if (this.#newest === undefined) this.#oldest = token;
    else this.#newest.after = token;
    this.#newest = token;
    this.#size += 1;
    return token;
  }

  /** Always called, also when the query failed. */
  end(token: FillToken): void {
    const { before, after } = token;
    if (before === undefined && this.#oldest !== token) return;
    if (before === undefined) this.#oldest = after;
    else before.after = after;
    if (after === undefined) this.#newest = before;
    else after.before = before;
    token.before = undefined;
    token.after = undefined;
    this.#size -= 1;
    if (before === undefined) this.#forget();
  }

  /** Answers below `version` (Infinity: any) for this item are stale from now on. */
  raise({ namespace, key }: ItemRef, version: number): void {
    this.#note({ namespace, key, version, matches: undefined });
  }

  /** Like `raise` for every item that `matches`, whichever version it brings. */
  raiseWhere(matches: (ref: ItemRef) => boolean): void {
    this.#note({ namespace: "", key: "", version: Number.POSITIVE_INFINITY, matches });
  }

  /** Queries in flight. */
  get size(): number {
    return this.#size;
  }

  /** Changes that are kept for them. */
  get changes(): number {
    return this.#log.changes.length;
  }

  #note(change: Change): void {
    if (this.#size === 0) return;
    if (this.#log.changes.length >= CHANGES_MAX) this.#log.trim(this.#log.end);
    this.#log.changes.push(change);
  }

  /** The oldest query has ended: what came before the next one's question nobody asks for. */
  #forget(): void {
    const place = this.#oldest?.place ?? this.#log.end;
    if (this.#oldest === undefined || place - this.#log.start >= TRIM_MIN) this.#log.trim(place);
  }
}
