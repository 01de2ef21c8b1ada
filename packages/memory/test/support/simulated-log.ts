import { MemoryError } from "../../src/model/errors.ts";
import { MemoryTier } from "../../src/model/item.ts";
import type { Clock } from "../../src/model/clock.ts";
import type { ItemRecord, ItemRef } from "../../src/model/item.ts";
import type {
  AuthorityTier,
  Change,
  FollowPoll,
  FollowState,
  WriteOperation,
  WriteResult,
} from "../../src/tiers/authority.ts";
import { refId } from "../../src/tiers/tier.ts";
import type { TierHealth, TierUsage } from "../../src/tiers/tier.ts";

/** What was committed to one item; a body of undefined is a delete. */
export interface Committed {
  readonly version: number;
  readonly record: ItemRecord | undefined;
}

/**
 * A database as far as coherence needs one: items, versions in commit order, transactions that begin
 * and end in any order, snapshots, and a change log that is read by them.
 */
export class SimulatedLog {
  epoch = "one";
  #nextXid = 100;
  #version = 0;
  readonly #running = new Set<number>();
  readonly #changes: (Change & { readonly xid: number })[] = [];
  readonly #history = new Map<string, Committed[]>();

  /** All that the item has been, in the order of commits. */
  history(ref: ItemRef): readonly Committed[] {
    return this.#history.get(refId(ref)) ?? [];
  }

  latest(ref: ItemRef): Committed | undefined {
    return this.history(ref).at(-1);
  }

  begin(): number {
    const xid = this.#nextXid;
    this.#nextXid += 1;
    this.#running.add(xid);
    return xid;
  }

  /** Ends a transaction with what it has written. */
  commit(xid: number, operations: readonly WriteOperation[]): readonly WriteResult[] {
    const results = operations.map((operation) => this.#apply(xid, operation));
    this.#running.delete(xid);
    return results;
  }

  snapshot(): string {
    const running = [...this.#running].toSorted((a, b) => a - b);
    return `${running[0] ?? this.#nextXid}:${this.#nextXid}:${running.join(",")}`;
  }

  /** What is committed now and was not visible to that snapshot. */
  changesSince(snapshot: string): readonly Change[] {
    const [, end = "", open = ""] = snapshot.split(":");
    const wasOpen = new Set(open.split(",").map(Number));
    return this.#changes.filter(({ xid }) => xid >= Number(end) || wasOpen.has(xid));
  }

  #apply(xid: number, operation: WriteOperation): WriteResult {
    const { condition } = operation;
    const live = this.latest(operation)?.record?.version ?? null;
    const holds = condition === "absent" ? live === null : live !== null;
    if (
      condition !== undefined &&
      !(holds && (typeof condition === "string" || condition === live))
    )
      return { status: "conflict", currentVersion: live };
    this.#version += 1;
    const version = this.#version;
    const { namespace, key } = operation;
    const existed = this.latest(operation)?.record !== undefined;
    if (operation.kind !== "put" && !existed) return { status: "absent", version };
    const { body, metadata, tags } = operation.kind === "put" ? operation : NOTHING;
    const facts = {
      createdAtMs: 0,
      updatedAtMs: 0,
      expiresAtMs: undefined,
      deadlineMs: Number.POSITIVE_INFINITY,
    };
    const isPut = operation.kind === "put";
    const record = isPut ? { namespace, key, version, body, metadata, tags, ...facts } : undefined;
    this.#history.set(refId(operation), [...this.history(operation), { version, record }]);
    const op = isPut ? "put" : "remove";
    this.#changes.push({ id: version, namespace, key, version, op, atMs: 0, xid });
    return { status: "written", version, existed, ...facts };
  }
}

const NOTHING = { body: new Uint8Array(), metadata: {}, tags: [] };

/** The simulated database as one server reaches it. */
export class SimulatedAuthority implements AuthorityTier {
  readonly name = MemoryTier.L3_POSTGRESQL;
  readonly capabilities = {
    role: "authority",
    holds: "bytes",
    synchronous: false,
    shared: true,
    durable: true,
    ephemeral: false,
  } as const;
  readonly exclusive = false;
  /** This server cannot read the log. */
  isLogAway = false;
  polls = 0;
  readonly #log: SimulatedLog;
  readonly #clock: Clock;

  constructor(log: SimulatedLog, clock: Clock) {
    this.#log = log;
    this.#clock = clock;
  }

  async initialize(): Promise<void> {}

  async close(): Promise<void> {}

  health(): TierHealth {
    return { status: "ready" };
  }

  usage(): TierUsage {
    const none = { hits: 0, misses: 0, evictions: 0, expirations: 0 };
    return { items: 0, bytes: 0, maxBytes: 0, maxItems: 0, ...none };
  }

  async getMany(refs: readonly ItemRef[]): Promise<readonly (ItemRecord | undefined)[]> {
    return refs.map((ref) => this.#log.latest(ref)?.record);
  }

  async newestVersions(refs: readonly ItemRef[]): Promise<readonly number[]> {
    return refs.map((ref) => this.#log.latest(ref)?.version ?? 0);
  }

  async write(operations: readonly WriteOperation[]): Promise<readonly WriteResult[]> {
    return this.#log.commit(this.#log.begin(), operations);
  }

  async follow(state: FollowState | undefined): Promise<FollowPoll> {
    const sentAtMs = this.#clock.monotonicMs();
    await Promise.resolve();
    if (this.isLogAway) throw new MemoryError("STORE_UNAVAILABLE", "the log is away");
    this.polls += 1;
    const changes = state === undefined ? [] : this.#log.changesSince(state.snapshot);
    const { epoch } = this.#log;
    return { changes, state: { snapshot: this.#log.snapshot() }, epoch, sentAtMs, gap: false };
  }

  async refreshUsage(): Promise<void> {}

  takeLease = refuse;
  renewLease = refuse;
  releaseLease = refuse;
  modify = refuse;
  search = refuse;
  exportPage = refuse;
  forgetChunk = refuse;
  clear = refuse;
  readChanges = refuse;
  changePosition = refuse;
  loadConsumer = refuse;
  saveConsumer = refuse;
  sweep = refuse;
  unfinishedJobs = refuse;
  createJob = refuse;
  readJob = refuse;
  advanceJob = refuse;
}

async function refuse(): Promise<never> {
  throw new MemoryError("CAPABILITY_UNAVAILABLE", "the simulated database does not do this");
}
