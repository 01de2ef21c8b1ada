import { MemoryError } from "../model/errors.ts";
import { MemoryTier } from "../model/item.ts";
import type { ItemRecord, ItemRef } from "../model/item.ts";
import { deepFreeze } from "../model/value.ts";
import type { Condition } from "../tiers/authority.ts";
import type { Core } from "./core.ts";
import { durabilityConflict, judge } from "./ephemeral-conflicts.ts";
import { EPHEMERAL_VERSION_MIN } from "../model/version.ts";
import type { EphemeralHome, EphemeralSet, Removal } from "./ephemeral-home.ts";
import type { EphemeralStore } from "./ephemeral-store.ts";

const MS_PER_SECOND = 1000;
const VERSIONS_PER_MS = 1000;

/** Ephemeral items of the one process that owns the data. */
export class LocalEphemerals implements EphemeralHome {
  readonly #core: Core;
  readonly #store: EphemeralStore;
  #lastVersion: number;

  constructor(core: Core, store: EphemeralStore) {
    this.#core = core;
    this.#store = store;
    this.#lastVersion = EPHEMERAL_VERSION_MIN + Math.floor(core.clock.wallMs()) * VERSIONS_PER_MS;
  }

  get tier(): MemoryTier {
    return this.#core.copies.bytes?.name ?? MemoryTier.L1_PROCESS_MEMORY;
  }

  async findMany(refs: readonly ItemRef[]): Promise<readonly (ItemRecord | undefined)[]> {
    return refs.map((ref) => this.#store.find(ref));
  }

  async set(item: EphemeralSet): Promise<{ readonly version: number }> {
    const { copies, authority } = this.#core;
    // The token notices a durable write that commits between the question and the answer.
    const token = copies.guard.begin();
    try {
      if (this.#store.find(item) === undefined) {
        const [durable] = await authority.getMany([item]);
        if (durable !== undefined || !token.allows(item, 0)) throw durabilityConflict(item.key);
      }
      judge(item, item.condition, this.#store.find(item)?.version);
      return this.#put(item);
    } finally {
      copies.guard.end(token);
    }
  }

  async remove(ref: ItemRef, condition: Condition | undefined): Promise<Removal> {
    const found = this.#store.find(ref);
    if (found === undefined) return "none";
    judge(ref, condition, found.version);
    this.#store.remove(ref);
    return found;
  }

  async touch(
    ref: ItemRef,
    ttlSeconds: number | undefined,
    condition: Condition | undefined,
  ): Promise<{ readonly version: number } | undefined> {
    const found = this.#store.find(ref);
    if (found === undefined) return undefined;
    judge(ref, condition, found.version);
    return this.#put({ ...found, ttlSeconds });
  }

  async removeWhere(scope: {
    readonly namespace: string;
    readonly below: boolean;
    readonly pattern: string | undefined;
  }): Promise<number> {
    return this.#store.size === 0 ? 0 : this.#store.removeWhere(scope);
  }

  #put(item: Omit<EphemeralSet, "condition">): ItemRecord {
    const { clock } = this.#core;
    const { namespace, key, body, metadata, tags, ttlSeconds } = item;
    const wallMs = clock.wallMs();
    const ttlMs = ttlSeconds === undefined ? undefined : ttlSeconds * MS_PER_SECOND;
    this.#lastVersion += 1;
    const record: ItemRecord = {
      namespace,
      key,
      body,
      metadata: deepFreeze(metadata),
      tags,
      version: this.#lastVersion,
      createdAtMs: this.#store.find(item)?.createdAtMs ?? wallMs,
      updatedAtMs: wallMs,
      expiresAtMs: ttlMs === undefined ? undefined : wallMs + ttlMs,
      deadlineMs: ttlMs === undefined ? Number.POSITIVE_INFINITY : clock.monotonicMs() + ttlMs,
    };
    if (this.#store.put(record)) return record;
    throw new MemoryError("VALUE_TOO_LARGE", "value: larger than the store of ephemeral items");
  }
}
