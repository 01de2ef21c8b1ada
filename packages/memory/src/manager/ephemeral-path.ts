import { MemoryError } from "../model/errors.ts";
import { MemoryTier } from "../model/item.ts";
import type { DeleteReceipt, ItemRecord, ItemRef, Receipt } from "../model/item.ts";
import type { Condition } from "../tiers/authority.ts";
import type { Core } from "./core.ts";
import { judge } from "./ephemeral-conflicts.ts";
import { isEphemeralVersion } from "./ephemeral-home.ts";
import type { EphemeralHome } from "./ephemeral-home.ts";
import { checkValueBytes } from "./inputs.ts";
import type { CheckedSet } from "./inputs.ts";
import { LocalEphemerals } from "./local-ephemerals.ts";
import type { SetOptions } from "./memory.ts";
import { SharedEphemerals } from "./shared-ephemerals.ts";

const HINTS_THAT_VANISH: readonly (MemoryTier | undefined)[] = [
  MemoryTier.L0_CPU_CACHE,
  MemoryTier.L1_PROCESS_MEMORY,
  MemoryTier.L2_SHARED_MEMORY,
];

/** Refuses an ephemeral set that says neither how long nor how near it should be kept. */
export function checkEphemeral(options: SetOptions): void {
  if (options.idempotencyKey !== undefined)
    throw new MemoryError(
      "INVALID_ARGUMENT",
      "idempotencyKey: an ephemeral set keeps no receipt to repeat; leave it out",
      { field: "idempotencyKey" },
    );
  if (options.ttlSeconds !== undefined || HINTS_THAT_VANISH.includes(options.tierHint)) return;
  throw new MemoryError(
    "INVALID_ARGUMENT",
    "durability: an ephemeral item needs ttlSeconds or a tierHint of l0, l1 or l2; give one, or make it durable",
    { field: "durability" },
  );
}

function homeOf(core: Core): EphemeralHome | undefined {
  if (core.ephemeral !== undefined) return new LocalEphemerals(core, core.ephemeral);
  return core.shared && new SharedEphemerals(core, core.shared);
}

/** Items that never reach the database: wherever their home is, operations on them pass here first. */
export class EphemeralPath {
  readonly #core: Core;
  readonly #home: EphemeralHome | undefined;

  constructor(core: Core) {
    this.#core = core;
    this.#home = homeOf(core);
  }

  async find(ref: ItemRef): Promise<ItemRecord | undefined> {
    return (await this.#home?.findMany([ref]))?.[0];
  }

  /** Which of these keys have an ephemeral item. One round trip at most. */
  async among(namespace: string, keys: readonly string[]): Promise<ReadonlySet<string>> {
    if (this.#home === undefined || keys.length === 0) return new Set();
    const found = await this.#home.findMany(keys.map((key) => ({ namespace, key })));
    return new Set(keys.filter((_, index) => found[index] !== undefined));
  }

  /** Throws EPHEMERAL_NEEDS_L2 where there is no place for such items. */
  requireHome(): EphemeralHome {
    if (this.#home !== undefined) return this.#home;
    throw new MemoryError(
      "EPHEMERAL_NEEDS_L2",
      "durability: ephemeral items of several servers live in Redis, and none is configured; set REDIS_URL or make the item durable",
      { field: "durability" },
    );
  }

  async set(namespace: string, set: CheckedSet): Promise<Receipt> {
    const home = this.requireHome();
    const { codec, config } = this.#core;
    const ref = { namespace, key: set.key };
    const body = codec.encode(set.value, ref);
    checkValueBytes(codec.valueBytes(body), config.limits);
    const { metadata, tags, ttlSeconds, condition } = set;
    const written = await home.set({ ...ref, body, metadata, tags, ttlSeconds, condition });
    return this.#receipt(home, set.key, written.version);
  }

  /**
   * The condition on which the authority may make a durable item where an ephemeral one may be: that
   * one is judged here, and the authority knows nothing of it.
   */
  async conditionBeside(
    ref: ItemRef,
    { condition }: Pick<CheckedSet, "condition">,
  ): Promise<Condition | undefined> {
    if (condition === undefined || this.#home === undefined) return condition;
    if (typeof condition === "number" && !isEphemeralVersion(condition)) return condition;
    const found = await this.find(ref);
    if (found === undefined) return condition;
    judge(ref, condition, found.version);
    return "absent";
  }

  /**
   * none: there is no such ephemeral item, so the authority is to be asked. unknown: the same, but its
   * removal must leave a trace that ends an ephemeral item which may be there all the same.
   */
  async remove(
    ref: ItemRef,
    condition: Condition | undefined,
  ): Promise<DeleteReceipt | "none" | "unknown"> {
    const home = this.#home;
    if (home === undefined) return "none";
    const removed = await home.remove(ref, condition);
    if (typeof removed === "string") return removed;
    return { ...this.#receipt(home, ref.key, removed.version), existed: true };
  }

  /** Gives it a new lifetime; undefined when there is no such ephemeral item. */
  async touch(
    ref: ItemRef,
    ttlSeconds: number | undefined,
    condition: Condition | undefined,
  ): Promise<Receipt | undefined> {
    const home = this.#home;
    const touched = await home?.touch(ref, ttlSeconds, condition);
    return home && touched && this.#receipt(home, ref.key, touched.version);
  }

  /** Removes what matches; undefined pattern = everything. Returns how many. */
  async removeWhere(scope: {
    readonly namespace: string;
    readonly below: boolean;
    readonly pattern: string | undefined;
  }): Promise<number> {
    return (await this.#home?.removeWhere(scope)) ?? 0;
  }

  #receipt(home: EphemeralHome, key: string, version: number): Receipt {
    const { authority } = this.#core;
    return {
      key,
      version: String(version),
      tiers: { [home.tier]: "stored", [authority.name]: "skipped" },
    };
  }
}
