import { BatchAborted, VersionConflict } from "../../src/model/errors.ts";
import type { ItemRef } from "../../src/model/item.ts";
import type {
  Change,
  LeaseAnswer,
  SweepReport,
  WriteOperation,
  WriteResult,
} from "../../src/tiers/authority.ts";
import { refId } from "../../src/tiers/tier.ts";
import { DatabaseState, clearCovers, tombstone } from "./database-state.ts";
import type { Clear, CommitListener, LoggedChange, Row } from "./database-state.ts";
import { judgeOperation } from "./judge-operation.ts";
import type { Scheduler } from "./scheduler.ts";
import { WALL_START_MS } from "./simulated-process.ts";
import { Transactions } from "./transactions.ts";
import type { Ended } from "./transactions.ts";

export interface DatabaseOptions {
  readonly scheduler: Scheduler;
  readonly listener: CommitListener;
  /** Between deciding and committing, milliseconds. */
  readonly commitMs: () => number;
  /** Changes that one poll gives at most. */
  readonly followMax: number;
  readonly tombstoneMs: number;
}

export interface Followed {
  readonly changes: readonly Change[];
  readonly snapshot: string;
  readonly epoch: string;
  readonly gap: boolean;
}

/** Numbers that the sequence leaves out after a crash. */
const SEQUENCE_JUMP_MAX = 32;

/** A database as far as coherence needs one: what PostgreSQL and our statements on it do, in events. */
export class SimulatedDatabase {
  readonly state: DatabaseState;
  readonly transactions: Transactions;
  readonly #options: DatabaseOptions;
  #version = 0;
  #changeId = 0;
  #epoch = 1;
  #leases = 0;
  #awayUntilMs = Number.NEGATIVE_INFINITY;
  /** The version after one that is known: of one sequence, and always greater. */
  nextVersion: (known: number) => number = (known) => Math.max(known + 1, this.#draw());
  /** A follower believes the whole of a snapshot, as if no crash could take ids back. */
  trustsSnapshots = false;

  constructor(options: DatabaseOptions) {
    this.#options = options;
    this.state = new DatabaseState(options.listener);
    this.transactions = new Transactions(options.scheduler, this.state, options.commitMs);
  }

  get isAway(): boolean {
    return this.#options.scheduler.nowMs < this.#awayUntilMs;
  }

  get wallMs(): number {
    return WALL_START_MS + this.#options.scheduler.nowMs;
  }

  read(ref: ItemRef): Row | undefined {
    return this.state.live(ref, this.wallMs);
  }

  /** The function newest_version of the real database. */
  newestVersion(ref: ItemRef, since: number | undefined): number {
    const newest = this.state.newestVersion(ref);
    if (since === undefined) return newest;
    const { trimmedXid, changes } = this.state;
    const then = changes.filter(({ xid }) => xid >= since);
    const [first] = then.toSorted((a, b) => a.xid - b.xid);
    const oldestMs = this.wallMs - this.#options.tombstoneMs;
    if (since <= trimmedXid || (first !== undefined && first.atMs < oldestMs))
      return Number.MAX_SAFE_INTEGER;
    return then.reduce((version, change) => {
      const { op, namespace, below = false } = change;
      const isMeant =
        op === "clear" && clearCovers({ namespace, below, version: 0 }, ref.namespace);
      return isMeant ? Math.max(version, change.version) : version;
    }, newest);
  }

  /** Answers in the order given; a condition that fails in an atomic write fails it all. */
  write(
    operations: readonly WriteOperation[],
    atomic: boolean,
    done: (ended: Ended<readonly WriteResult[] | Error>) => void,
  ): void {
    const locks = operations.map(refId);
    this.transactions.begin<readonly WriteResult[] | Error>({
      locks,
      decide: (xid) => this.#decide(operations, atomic, xid),
      done,
    });
  }

  /** The row as it is under its lock decides what is written. */
  modify(
    ref: ItemRef,
    decide: (row: Row | undefined) => WriteOperation | undefined,
    done: (ended: Ended<readonly WriteResult[] | Error>) => void,
  ): void {
    this.transactions.begin<readonly WriteResult[] | Error>({
      locks: [refId(ref)],
      decide: (xid) => {
        try {
          const operation = decide(this.read(ref));
          return this.#decide(operation === undefined ? [] : [operation], false, xid);
        } catch (error) {
          const answer = error instanceof Error ? error : new Error(String(error));
          return { effects: undefined, answer };
        }
      },
      done,
    });
  }

  clear(
    namespace: string,
    below: boolean,
    done: (ended: Ended<{ readonly version: number }>) => void,
  ): void {
    this.transactions.begin({
      locks: "everything",
      decide: (xid) => {
        const clear: Clear = { namespace, below, version: this.nextVersion(0) };
        const change = this.#change({ namespace, key: "" }, clear.version, "clear", xid);
        const effects = { rows: [], changes: [{ ...change, below }], clear };
        return { effects, answer: { version: clear.version } };
      },
      done,
    });
  }

  takeLease(
    ref: ItemRef,
    ttlSeconds: number | undefined,
    done: (ended: Ended<LeaseAnswer>) => void,
  ): void {
    const id = refId(ref);
    this.transactions.begin<LeaseAnswer>({
      locks: [id],
      decide: (xid) => {
        if (this.read(ref) !== undefined)
          return { effects: undefined, answer: { status: "found" } };
        const expired = this.#expired(ref, xid);
        const rows = expired === undefined ? [] : [expired.row];
        const changes = expired === undefined ? [] : [expired.change];
        const seenVersion = expired?.row.version ?? this.state.newestVersion(ref);
        if (ttlSeconds === undefined) {
          const claim = { seenVersion, token: undefined };
          return { effects: { rows, changes }, answer: { status: "granted", claim } };
        }
        const held = this.state.leases.get(id);
        if (
          held !== undefined &&
          held.expiresAtMs > this.wallMs &&
          held.seenVersion >= seenVersion
        ) {
          const heldForMs = held.expiresAtMs - this.wallMs;
          return { effects: { rows, changes }, answer: { status: "held", heldForMs } };
        }
        this.#leases += 1;
        const token = `lease ${this.#leases}`;
        const expiresAtMs = this.wallMs + ttlSeconds * 1000;
        const leases = [[id, { token, seenVersion, expiresAtMs }]] as const;
        const claim = { seenVersion, token };
        return { effects: { rows, changes, leases }, answer: { status: "granted", claim } };
      },
      done,
    });
  }

  renewLease(ref: ItemRef, token: string, ttlSeconds: number): boolean {
    const id = refId(ref);
    const lease = this.state.leases.get(id);
    if (lease?.token !== token || lease.expiresAtMs <= this.wallMs) return false;
    if (lease.seenVersion < this.state.newestVersion(ref)) return false;
    this.state.leases.set(id, { ...lease, expiresAtMs: this.wallMs + ttlSeconds * 1000 });
    return true;
  }

  releaseLease(ref: ItemRef, token: string): void {
    const id = refId(ref);
    if (this.state.leases.get(id)?.token === token) this.state.leases.delete(id);
  }

  /** The statement of queries/follow-changes.ts. */
  follow(since: string | undefined): Followed {
    const snapshot = this.#shown();
    const epoch = `epoch ${this.#epoch}`;
    if (since === undefined) return { changes: [], snapshot, epoch, gap: false };
    const [, end = "", list = ""] = since.split(":");
    const place = Number(end);
    const open = list === "" ? [] : list.split(",").map(Number);
    const { trimmedXid, changes } = this.state;
    const { open: running } = this.transactions.snapshot;
    const isTrimmed =
      trimmedXid >= place || open.some((xid) => xid <= trimmedXid && !running.includes(xid));
    const seen = changes
      .filter(({ xid }) => xid >= place || open.includes(xid))
      .toSorted((a, b) => a.id - b.id);
    const isOverBound = seen.length > this.#options.followMax;
    return { changes: isOverBound ? [] : seen, snapshot, epoch, gap: isTrimmed || isOverBound };
  }

  sweep(limit: number): SweepReport {
    let expired = 0;
    for (const [, row] of this.state.rows) {
      if (expired >= limit || row.body === undefined || row.expiresAtMs === undefined) continue;
      if (row.expiresAtMs > this.wallMs) continue;
      expired += 1;
      this.#expire(row);
    }
    const swept = this.transactions.isIdle ? this.state.sweepClears() : 0;
    // A writer that drew its version before may still come: then nothing is purged.
    const isSafe = this.transactions.isIdle && swept === 0;
    const purged = isSafe ? this.state.purge(this.wallMs - this.#options.tombstoneMs) : 0;
    return { expired, purgedTombstones: purged, trimmedChanges: 0, trimmedIdempotency: 0 };
  }

  /** Away for a while, and what had not committed is lost. */
  crash(downMs: number): void {
    const { scheduler } = this.#options;
    this.#awayUntilMs = scheduler.nowMs + downMs;
    this.transactions.crash();
    this.state.leases.clear();
    this.#version += Math.floor(scheduler.random() * SEQUENCE_JUMP_MAX);
  }

  heal(): void {
    this.#awayUntilMs = Number.NEGATIVE_INFINITY;
  }

  /** The same data in another cluster: another history of transactions. */
  restore(): void {
    this.crash(0);
    this.#epoch += 1;
    this.state.forgetLog();
    this.transactions.restart();
  }

  #draw(): number {
    this.#version += 1;
    return this.#version;
  }

  #change(ref: ItemRef, version: number, op: Change["op"], xid: number): LoggedChange {
    this.#changeId += 1;
    const { namespace, key } = ref;
    return { id: this.#changeId, namespace, key, version, op, atMs: this.wallMs, xid };
  }

  #decide(
    operations: readonly WriteOperation[],
    atomic: boolean,
    xid: number,
  ): {
    effects: { rows: Row[]; changes: LoggedChange[]; leases: [string, undefined][] } | undefined;
    answer: readonly WriteResult[] | Error;
  } {
    const moment = { state: this.state, nowMs: this.wallMs, nextVersion: this.nextVersion };
    const judged = operations.map((operation) => judgeOperation(operation, moment));
    const results = judged.map(({ result }) => result);
    const failed = results.findIndex(({ status }) => status === "conflict");
    if (atomic && failed >= 0)
      return { effects: undefined, answer: aborted(operations[failed], failed, results[failed]) };
    const rows = judged.flatMap(({ row }) => row ?? []);
    const changes = judged.flatMap(({ row }, index) => {
      const operation = operations[index];
      return row === undefined || operation === undefined
        ? []
        : [this.#change(row, row.version, operation.kind, xid)];
    });
    const leases = judged.flatMap(({ ends }): [string, undefined][] =>
      ends === undefined ? [] : [[ends, undefined]],
    );
    return { effects: { rows, changes, leases }, answer: results };
  }

  #expired(
    ref: ItemRef,
    xid: number,
  ): { readonly row: Row; readonly change: LoggedChange } | undefined {
    const row = this.state.rows.get(refId(ref));
    const isDue = row?.body !== undefined && row.version > this.state.clearedVersion(ref.namespace);
    if (!isDue || row.expiresAtMs === undefined || row.expiresAtMs > this.wallMs) return undefined;
    const version = this.nextVersion(row.version);
    const gone = tombstone(ref, version, this.wallMs);
    return { row: gone, change: this.#change(ref, version, "expire", xid) };
  }

  #expire(ref: ItemRef): void {
    this.transactions.begin({
      locks: [refId(ref)],
      decide: (xid) => {
        const expired = this.#expired(ref, xid);
        const effects = expired && { rows: [expired.row], changes: [expired.change] };
        return { effects, answer: undefined };
      },
      done: () => {},
    });
  }

  /** A snapshot that ends after the last change that shows: above it a crash may give ids again. */
  #shown(): string {
    const { xmin, xmax, open } = this.transactions.snapshot;
    const place = this.trustsSnapshots ? xmax : Math.min(xmax, this.state.lastXid + 1);
    return `${Math.min(xmin, place)}:${place}:${open.filter((xid) => xid < place).join(",")}`;
  }
}

function aborted(
  operation: WriteOperation | undefined,
  index: number,
  result: WriteResult | undefined,
): Error {
  const key = operation?.key ?? "";
  const current = result?.status === "conflict" ? result.currentVersion : null;
  const cause = new VersionConflict(
    key,
    String(operation?.condition),
    current === null ? null : { version: String(current) },
  );
  return new BatchAborted(index, cause);
}
