import { MemoryError } from "../../src/model/errors.ts";
import type { ErrorCode } from "../../src/model/errors.ts";
import type { ItemRef } from "../../src/model/item.ts";
import { MemoryTier } from "../../src/model/item.ts";
import type {
  BusMessage,
  EphemeralPut,
  EphemeralResult,
  LeaseRequest,
  LeaseToken,
  LogPlace,
  SettledChange,
  SettleOutcome,
  SharedCopy,
  SharedEntry,
  SharedTier,
} from "../../src/tiers/shared.ts";
import { refId } from "../../src/tiers/tier.ts";
import type { TierCapabilities, TierHealth, TierUsage } from "../../src/tiers/tier.ts";
import type { Link } from "./link.ts";
import type { Cancel, Scheduler } from "./scheduler.ts";
import { SharedRules, hasTtl } from "./shared-rules.ts";
import type { SharedLives } from "./shared-rules.ts";
import type { SimulatedProcess } from "./simulated-process.ts";
import type { SharedSlot, SimulatedRedis } from "./simulated-redis.ts";

export interface SharedTierOptions {
  readonly scheduler: Scheduler;
  readonly process: SimulatedProcess;
  readonly redis: SimulatedRedis;
  readonly link: Link;
  readonly lives: SharedLives;
  readonly commandTimeoutMs: number;
}

type Condition = EphemeralPut["condition"];
type Name = (ref: ItemRef) => string;

/** Redis counts whole milliseconds: what it says is left may be one more than there is. */
const LIFETIME_GRAIN_MS = 1;

/** The simulated Redis as one server reaches it: a command is carried out whenever it arrives. */
export class SimulatedSharedTier implements SharedTier {
  readonly name = MemoryTier.L2_SHARED_MEMORY;
  readonly capabilities: TierCapabilities = {
    role: "copy",
    holds: "bytes",
    synchronous: false,
    shared: true,
    durable: false,
    ephemeral: true,
  };
  readonly #options: SharedTierOptions;
  readonly #rules: SharedRules;
  #epoch: string | undefined;
  #hasFailed = false;
  #isClosed = false;

  constructor(options: SharedTierOptions) {
    this.#options = options;
    this.#rules = new SharedRules(options.redis, options.lives);
  }

  async initialize(): Promise<void> {}

  async close(): Promise<void> {
    this.#isClosed = true;
  }

  health(): TierHealth {
    return this.#hasFailed ? { status: "degraded", reason: "no answer" } : { status: "ready" };
  }

  usage(): TierUsage {
    const none = { hits: 0, misses: 0, evictions: 0, expirations: 0 };
    return { items: 0, bytes: 0, maxBytes: 0, maxItems: 0, ...none };
  }

  useEpoch(epoch: string): void {
    this.#epoch = epoch;
  }

  findMany(refs: readonly ItemRef[]): Promise<readonly (SharedEntry | undefined)[]> {
    const { process, redis } = this.#options;
    const askedMs = process.monotonicMs();
    return this.#run("find", (name) =>
      refs.map((ref) => entryOf(redis.find(name(ref)), askedMs - redis.nowMs)),
    );
  }

  async lease(requests: readonly LeaseRequest[]): Promise<readonly (LeaseToken | undefined)[]> {
    const tokens = await this.#run("lease", (name) =>
      requests.map((request) => this.#rules.lease(name(request), request)),
    );
    // What is left of a lifetime when the grant is known was left when it was made.
    const knownMs = this.#options.process.monotonicMs();
    return tokens.map((token) => token && `${token}@${knownMs}`);
  }

  fill(
    copies: readonly (SharedCopy & { readonly lease: LeaseToken })[],
  ): Promise<readonly boolean[]> {
    return this.#run("fill", (name) =>
      copies.map(({ record, provenAt, lease }) => {
        const [token = "", knownMs] = lease.split("@");
        const remainingMs = hasTtl(record)
          ? Math.floor(record.deadlineMs - Number(knownMs))
          : undefined;
        return this.#rules.fill(name(record), { record, provenAt, token, remainingMs });
      }),
    );
  }

  release(leases: readonly (ItemRef & { readonly lease: LeaseToken })[]): Promise<void> {
    return this.#run("release", (name) => {
      for (const given of leases) this.#rules.release(name(given), given.lease.split("@")[0] ?? "");
    });
  }

  settle(changes: readonly SettledChange[]): Promise<readonly SettleOutcome[]> {
    const { redis } = this.#options;
    return this.#run("settle", (name, epoch) => {
      const outcomes = changes.map((change) => this.#rules.settle(name(change), change));
      for (const { namespace, key, version } of changes)
        redis.publish(epoch, { kind: "change", ref: { namespace, key }, version });
      return outcomes;
    });
  }

  announce(
    clear: { namespace: string; below: boolean; version: number } | undefined,
  ): Promise<void> {
    const { redis } = this.#options;
    const message: BusMessage =
      clear === undefined ? { kind: "wake" } : { kind: "clear", ...clear };
    return this.#run("announce", (_, epoch) => redis.publish(epoch, message));
  }

  putEphemeral(put: EphemeralPut): Promise<EphemeralResult> {
    return this.#change("put", (name) => this.#rules.putEphemeral(name(put.record), put));
  }

  removeEphemeral(ref: ItemRef, condition: Condition): Promise<EphemeralResult> {
    return this.#change("remove", (name) => this.#rules.removeEphemeral(name(ref), condition));
  }

  touchEphemeral(
    ref: ItemRef,
    ttlMs: number | undefined,
    condition: Condition,
  ): Promise<EphemeralResult> {
    return this.#change("touch", (name) => this.#rules.touchEphemeral(name(ref), ttlMs, condition));
  }

  proveEphemeral(
    ref: ItemRef,
    proof: { readonly version: number; readonly provenAt: LogPlace; readonly baseVersion: number },
  ): Promise<void> {
    return this.#run("prove", (name) => this.#rules.prove(name(ref), proof));
  }

  removeEphemeralWhere(
    scope: { readonly namespace: string; readonly below: boolean },
    matches: (ref: ItemRef) => boolean,
  ): Promise<number> {
    const { redis } = this.#options;
    return this.#change("removeWhere", (name) => {
      let removed = 0;
      for (const [at, slot] of redis.slots) {
        if (slot.kind !== "ephemeral" || at !== name(slot.record)) continue;
        const { namespace } = slot.record;
        const isBelow = scope.namespace === "" || namespace.startsWith(`${scope.namespace}/`);
        const isInScope = namespace === scope.namespace || (scope.below && isBelow);
        if (isInScope && matches(slot.record) && redis.slots.delete(at)) removed += 1;
      }
      return removed;
    });
  }

  onMessage(listener: (message: BusMessage) => void): void {
    const { redis, process, link } = this.#options;
    const hear = (message: BusMessage): void => {
      if (!this.#isClosed) listener(message);
    };
    redis.subscribe({ process, link, channel: () => this.#epoch ?? "", hear });
  }

  /** A command whose failure is told as unknown where it may have been, or may yet be, carried out. */
  #change<T>(command: string, work: (name: Name, epoch: string) => T): Promise<T> {
    return this.#run(command, work, "OUTCOME_UNKNOWN");
  }

  /**
   * One command. Who waits for it is told of a failure after the timeout, and it may still be carried
   * out; names are those of the epoch in which it was sent.
   */
  #run<T>(
    command: string,
    work: (name: Name, epoch: string) => T,
    whenUnanswered: ErrorCode = "STORE_UNAVAILABLE",
  ): Promise<T> {
    const { scheduler, process, redis, link, commandTimeoutMs } = this.#options;
    const epoch = this.#epoch;
    if (epoch === undefined)
      return Promise.reject(new MemoryError("NOT_INITIALIZED", "the epoch is not known yet"));
    const name: Name = (ref) => `${epoch}|${refId(ref)}`;
    return new Promise<T>((resolve, reject) => {
      let isOver = false;
      let forgetTimer: Cancel = () => {};
      const end = (isFailure: boolean, settle: () => void): void => {
        if (isOver) return;
        isOver = true;
        forgetTimer();
        this.#hasFailed = isFailure;
        settle();
      };
      const fail = (code: ErrorCode): void =>
        end(true, () => {
          scheduler.trace(() => `${process.name} redis ${command} fails: ${code}`);
          reject(new MemoryError(code, "the simulated Redis did not answer"));
        });
      const failSoon = (code: ErrorCode): void =>
        void scheduler.after(link.delayMs(), () => {
          process.deliver(() => fail(code));
        });
      if (link.isCut) return failSoon("STORE_UNAVAILABLE");
      forgetTimer = process.timer(commandTimeoutMs, () => fail(whenUnanswered));
      scheduler.after(link.delayMs(), () => {
        if (redis.isAway || link.isCut) return failSoon(whenUnanswered);
        const answer = work(name, epoch);
        if (link.losesAnswer()) return;
        scheduler.after(link.delayMs(), () =>
          process.deliver(() => {
            end(false, () => {
              scheduler.trace(() => `${process.name} redis ${command}: ${told(answer)}`);
              resolve(answer);
            });
          }),
        );
      });
    });
  }
}

/** For people: versions and places rather than whole records. */
function told(answer: unknown): string {
  return JSON.stringify(answer, (name, value: unknown) => {
    if (name === "record" && typeof value === "object" && value !== null)
      return Object.fromEntries(
        Object.entries(value).filter(([field]) => ["namespace", "key", "version"].includes(field)),
      );
    return value;
  });
}

/** `monotonicMs`: added to Redis' clock it gives the reader's, as of when the reader asked. */
function entryOf(slot: SharedSlot | undefined, monotonicMs: number): SharedEntry | undefined {
  if (slot?.kind !== "copy" && slot?.kind !== "ephemeral") return undefined;
  const { kind, provenAt } = slot;
  const baseVersion = slot.kind === "ephemeral" ? slot.baseVersion : 0;
  const isTimed = hasTtl(slot.record);
  const deadlineMs = isTimed
    ? slot.endsAtMs - LIFETIME_GRAIN_MS + monotonicMs
    : Number.POSITIVE_INFINITY;
  return { kind, provenAt, baseVersion, record: { ...slot.record, deadlineMs } };
}
