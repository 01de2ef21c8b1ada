import { MemoryError, VersionConflict } from "../model/errors.ts";
import { MemoryTier } from "../model/item.ts";
import type { DeleteReceipt, ItemRecord, ItemRef, Receipt } from "../model/item.ts";
import { deepFreeze } from "../model/value.ts";
import type { Condition } from "../tiers/authority.ts";
import type { Core } from "./core.ts";
import type { EphemeralStore } from "./ephemeral-store.ts";
import { checkValueBytes, describeCondition } from "./inputs.ts";
import type { CheckedSet } from "./inputs.ts";
import type { SetOptions } from "./memory.ts";

const MS_PER_SECOND = 1000;
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

/**
 * Versions of ephemeral items lie above all that the database gives out, so that the version of one
 * can never stand for a durable item of the same key. They start at the wall clock, so that they rise
 * over a restart too; microseconds since 1970 are below 2^52 until the year 2112.
 */
const VERSION_FLOOR = 2 ** 52;
const VERSIONS_PER_MS = 1000;

/** Items that never reach the database. Their authority is the ephemeral store, where there is one. */
export class EphemeralPath {
  readonly #core: Core;
  #lastVersion: number;

  constructor(core: Core) {
    this.#core = core;
    this.#lastVersion = VERSION_FLOOR + Math.floor(core.clock.wallMs()) * VERSIONS_PER_MS;
  }

  find(ref: ItemRef): ItemRecord | undefined {
    return this.#core.ephemeral?.find(ref);
  }

  async set(namespace: string, set: CheckedSet): Promise<Receipt> {
    const store = this.#store();
    const { codec, copies, config, authority } = this.#core;
    const ref = { namespace, key: set.key };
    const body = codec.encode(set.value, ref);
    checkValueBytes(codec.valueBytes(body), config.limits);
    // The token notices a durable write that commits between the question and the answer.
    const token = copies.guard.begin(ref);
    try {
      if (store.find(ref) === undefined) {
        const [durable] = await authority.getMany([ref]);
        if (durable !== undefined || !token.allows(0)) throw durabilityConflict(set.key);
      }
      this.#judge(ref, set.condition);
      const record = this.#record(ref, set, body);
      if (!store.put(record))
        throw new MemoryError("VALUE_TOO_LARGE", "value: larger than the store of ephemeral items");
      return this.#receipt(record);
    } finally {
      copies.guard.end(token);
    }
  }

  /**
   * The condition on which the authority may make a durable item where an ephemeral one may be: that
   * one is judged here, and the authority knows nothing of it.
   */
  conditionBeside(
    ref: ItemRef,
    { condition }: Pick<CheckedSet, "condition">,
  ): Condition | undefined {
    if (condition === undefined || this.find(ref) === undefined) return condition;
    this.#judge(ref, condition);
    return "absent";
  }

  /** Undefined when there is no such ephemeral item: then the authority is to be asked. */
  remove(ref: ItemRef, condition: Condition | undefined): DeleteReceipt | undefined {
    const found = this.find(ref);
    if (found === undefined) return undefined;
    this.#judge(ref, condition);
    this.#core.ephemeral?.remove(ref);
    return { ...this.#receipt(found), existed: true };
  }

  /** Gives it a new lifetime; undefined when there is no such ephemeral item. */
  touch(
    ref: ItemRef,
    ttlSeconds: number | undefined,
    condition: Condition | undefined,
  ): Receipt | undefined {
    const found = this.find(ref);
    if (found === undefined) return undefined;
    this.#judge(ref, condition);
    const record = this.#record(ref, { ...found, ttlSeconds }, found.body);
    this.#core.ephemeral?.put(record);
    return this.#receipt(record);
  }

  #store(): EphemeralStore {
    const { ephemeral } = this.#core;
    if (ephemeral !== undefined) return ephemeral;
    throw new MemoryError(
      "EPHEMERAL_NEEDS_L2",
      "durability: ephemeral items of several servers live in Redis, and none is configured; set REDIS_URL or make the item durable",
      { field: "durability" },
    );
  }

  #judge(ref: ItemRef, condition: Condition | undefined): void {
    if (condition === undefined) return;
    const version = this.find(ref)?.version;
    const holds =
      condition === "absent"
        ? version === undefined
        : version !== undefined && (condition === "present" || condition === version);
    if (holds) return;
    throw new VersionConflict(
      ref.key,
      describeCondition(condition),
      version === undefined ? null : { version: String(version) },
    );
  }

  #record(
    ref: ItemRef,
    about: Pick<CheckedSet, "metadata" | "tags" | "ttlSeconds">,
    body: Uint8Array,
  ): ItemRecord {
    const { clock } = this.#core;
    const wallMs = clock.wallMs();
    const ttlMs = about.ttlSeconds === undefined ? undefined : about.ttlSeconds * MS_PER_SECOND;
    this.#lastVersion += 1;
    return {
      namespace: ref.namespace,
      key: ref.key,
      body,
      metadata: deepFreeze(about.metadata),
      tags: about.tags,
      version: this.#lastVersion,
      createdAtMs: this.find(ref)?.createdAtMs ?? wallMs,
      updatedAtMs: wallMs,
      expiresAtMs: ttlMs === undefined ? undefined : wallMs + ttlMs,
      deadlineMs: ttlMs === undefined ? Number.POSITIVE_INFINITY : clock.monotonicMs() + ttlMs,
    };
  }

  #receipt(record: ItemRecord): Receipt {
    const { copies, authority } = this.#core;
    const store = copies.bytes?.name ?? MemoryTier.L1_PROCESS_MEMORY;
    return {
      key: record.key,
      version: String(record.version),
      tiers: { [store]: "stored", [authority.name]: "skipped" },
    };
  }
}

function durabilityConflict(key: string): MemoryError {
  return new MemoryError(
    "DURABILITY_CONFLICT",
    `item ${JSON.stringify(key)} is durable; delete it first or set it with durability "durable"`,
    { field: "durability" },
  );
}
