import type { ItemRef, JsonObject } from "../../src/model/item.ts";
import type { Change } from "../../src/tiers/authority.ts";
import { refId } from "../../src/tiers/tier.ts";

/** A row of the items; without a body it is a tombstone. */
export interface Row extends ItemRef {
  readonly version: number;
  readonly body: Uint8Array | undefined;
  readonly metadata: JsonObject;
  readonly tags: readonly string[];
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
  readonly expiresAtMs: number | undefined;
}

export interface Clear {
  readonly namespace: string;
  readonly below: boolean;
  readonly version: number;
}

export type LoggedChange = Change & { readonly xid: number };

export interface Lease {
  readonly token: string;
  readonly seenVersion: number;
  readonly expiresAtMs: number;
}

/** What one transaction makes visible when it commits. */
export interface Effects {
  readonly rows: readonly Row[];
  readonly changes: readonly LoggedChange[];
  readonly clear?: Clear;
  /** Leases given, or with undefined ended, by item. */
  readonly leases?: readonly (readonly [string, Lease | undefined])[];
}

/** Told of what became visible, in the order of commits. */
export interface CommitListener {
  committed(row: Row): void;
  cleared(clear: Clear): void;
}

export function clearCovers({ namespace, below }: Clear, of: string): boolean {
  if (of === namespace) return true;
  return below && (namespace === "" || of.startsWith(`${namespace}/`));
}

/** All that is committed. Times are the database's wall clock. */
export class DatabaseState {
  readonly rows = new Map<string, Row>();
  readonly leases = new Map<string, Lease>();
  clears: Clear[] = [];
  changes: LoggedChange[] = [];
  trimmedXid = 0;
  /** The greatest transaction id of any change in the log or trimmed from it. */
  lastXid = 0;
  readonly #listener: CommitListener;

  constructor(listener: CommitListener) {
    this.#listener = listener;
  }

  clearedVersion(namespace: string): number {
    let version = 0;
    for (const clear of this.clears)
      if (clear.version > version && clearCovers(clear, namespace)) ({ version } = clear);
    return version;
  }

  /** The item, if it is neither deleted nor expired nor hidden by a clear. */
  live(ref: ItemRef, nowMs: number): Row | undefined {
    const row = this.rows.get(refId(ref));
    if (row?.body === undefined) return undefined;
    if (row.expiresAtMs !== undefined && row.expiresAtMs <= nowMs) return undefined;
    return row.version > this.clearedVersion(ref.namespace) ? row : undefined;
  }

  newestVersion(ref: ItemRef): number {
    const version = this.rows.get(refId(ref))?.version ?? 0;
    return Math.max(version, this.clearedVersion(ref.namespace));
  }

  apply({ rows, changes, clear, leases = [] }: Effects): void {
    for (const row of rows) {
      this.rows.set(refId(row), row);
      this.#listener.committed(row);
    }
    if (clear !== undefined) {
      this.clears = this.clears.filter(
        ({ namespace, below }) => namespace !== clear.namespace || below !== clear.below,
      );
      this.clears.push(clear);
      this.#listener.cleared(clear);
    }
    for (const [id, lease] of leases) {
      if (lease === undefined) this.leases.delete(id);
      else this.leases.set(id, lease);
    }
    for (const change of changes) {
      this.changes.push(change);
      this.lastXid = Math.max(this.lastXid, change.xid);
    }
  }

  /** The sweep has passed: what clears hide is deleted, and the clears go. */
  sweepClears(): number {
    if (this.clears.length === 0) return 0;
    for (const [id, row] of this.rows)
      if (row.body !== undefined && row.version <= this.clearedVersion(row.namespace))
        this.rows.set(id, tombstone(row, row.version, row.updatedAtMs));
    const swept = this.clears.length;
    this.clears = [];
    return swept;
  }

  purge(untilMs: number): number {
    let purged = 0;
    for (const [id, row] of this.rows) {
      if (row.body !== undefined || row.updatedAtMs > untilMs) continue;
      this.rows.delete(id);
      purged += 1;
    }
    return purged;
  }

  /** In another cluster nothing of the log is left. */
  forgetLog(): void {
    this.changes = [];
    this.trimmedXid = 0;
    this.lastXid = 0;
  }

  /** Lets the start of the log go. */
  trim(changes: number): number {
    const gone = this.changes.splice(0, changes);
    for (const { xid } of gone) this.trimmedXid = Math.max(this.trimmedXid, xid);
    return gone.length;
  }
}

export function tombstone(ref: ItemRef, version: number, nowMs: number): Row {
  const { namespace, key } = ref;
  const facts = { metadata: {}, tags: [], createdAtMs: nowMs, updatedAtMs: nowMs };
  return { namespace, key, version, body: undefined, expiresAtMs: undefined, ...facts };
}
