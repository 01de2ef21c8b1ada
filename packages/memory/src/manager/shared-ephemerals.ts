import { mayHaveHappened } from "../coherence/copies.ts";
import type { SharedCopies } from "../coherence/shared-copies.ts";
import { MemoryError } from "../model/errors.ts";
import { matchGlob } from "../model/glob.ts";
import type { ItemRecord, ItemRef, MemoryTier } from "../model/item.ts";
import { deepFreeze } from "../model/value.ts";
import type { Condition } from "../tiers/authority.ts";
import type { Core } from "./core.ts";
import { conflict, durabilityConflict } from "./ephemeral-conflicts.ts";
import { isEphemeralVersion } from "./ephemeral-home.ts";
import type { EphemeralHome, EphemeralSet, Removal } from "./ephemeral-home.ts";

const MS_PER_SECOND = 1000;
/** A durable item that comes and goes while an ephemeral one is set makes the set ask again. */
const ATTEMPTS_MAX = 5;

/** Ephemeral items of many servers: in the shared tier, under what the change log says of their keys. */
export class SharedEphemerals implements EphemeralHome {
  readonly #core: Core;
  readonly #shared: SharedCopies;

  constructor(core: Core, shared: SharedCopies) {
    this.#core = core;
    this.#shared = shared;
  }

  get tier(): MemoryTier {
    return this.#shared.tier.name;
  }

  async findMany(refs: readonly ItemRef[]): Promise<readonly (ItemRecord | undefined)[]> {
    const found = await this.#shared.findEphemeral(refs);
    return found === "unknown" ? refs.map(() => undefined) : found;
  }

  async set(item: EphemeralSet): Promise<{ readonly version: number }> {
    const { authority } = this.#core;
    let baseVersion = 0;
    for (let attempt = 1; attempt <= ATTEMPTS_MAX; attempt += 1) {
      const place = this.#shared.place();
      if (place === undefined) break;
      baseVersion = Math.max(baseVersion, this.#shared.newest(item));
      const [durable] = await authority.getMany([item]);
      if (durable !== undefined) throw durabilityConflict(item.key);
      if (!this.#shared.isOfNow(place)) continue;
      const result = await this.#shared.tier.putEphemeral({
        record: this.#record(item),
        ttlMs: item.ttlSeconds === undefined ? undefined : item.ttlSeconds * MS_PER_SECOND,
        provenAt: place.provenAt,
        baseVersion,
        condition: item.condition,
      });
      if (result.status === "written") return result;
      if (result.status === "conflict") throw conflict(item, item.condition, result.currentVersion);
      baseVersion = Math.max(baseVersion, result.version);
    }
    throw new MemoryError(
      "STORE_UNAVAILABLE",
      "the item changes between durable and ephemeral all the time; try again in a moment",
    );
  }

  async remove(ref: ItemRef, condition: Condition | undefined): Promise<Removal> {
    // The version of a durable item: whatever lies in the shared tier, it is not meant.
    if (typeof condition === "number" && !isEphemeralVersion(condition)) return "none";
    const found = await this.#shared.findEphemeral([ref]);
    // Not found is not enough: after a failover the tier may have it again.
    if (found === "unknown" || found[0] === undefined) return "unknown";
    let version: number;
    try {
      const result = await this.#shared.tier.removeEphemeral(ref, condition);
      if (result.status === "conflict") throw conflict(ref, condition, result.currentVersion);
      if (result.status !== "written" || !result.existed) return "unknown";
      ({ version } = result);
    } catch (error) {
      if (!(error instanceof MemoryError)) throw error;
      if (error.code === "STORE_UNAVAILABLE") return "unknown";
      // Where nothing was to be judged the log ends what was found, whatever became of the command.
      if (!mayHaveHappened(error) || condition !== undefined) throw error;
      ({ version } = found[0]);
    }
    await this.#leaveTraces([ref]);
    return { version };
  }

  async touch(
    ref: ItemRef,
    ttlSeconds: number | undefined,
    condition: Condition | undefined,
  ): Promise<{ readonly version: number } | undefined> {
    if (typeof condition === "number" && !isEphemeralVersion(condition)) return undefined;
    const [found] = await this.findMany([ref]);
    if (found === undefined) return undefined;
    const ttlMs = ttlSeconds === undefined ? undefined : ttlSeconds * MS_PER_SECOND;
    const result = await this.#shared.tier.touchEphemeral(ref, ttlMs, condition);
    if (result.status === "conflict") throw conflict(ref, condition, result.currentVersion);
    return result.status === "written" && result.existed ? result : undefined;
  }

  async removeWhere(scope: {
    readonly namespace: string;
    readonly below: boolean;
    readonly pattern: string | undefined;
  }): Promise<number> {
    const { pattern } = scope;
    const gone: ItemRef[] = [];
    const matches = (ref: ItemRef): boolean => {
      const isMeant = pattern === undefined || matchGlob(pattern, ref.key);
      if (isMeant) gone.push(ref);
      return isMeant;
    };
    let removed: number;
    try {
      removed = await this.#shared.tier.removeEphemeralWhere(scope, matches);
    } catch (error) {
      // The next attempt will not find what this one has removed, and so leave no trace of it.
      if (mayHaveHappened(error)) await this.#leaveTraces(gone);
      throw error;
    }
    await this.#leaveTraces(gone);
    return removed;
  }

  /**
   * A failover may bring back what the shared tier has removed. So the removal is in the log too, and
   * ends the item in every server's eyes.
   */
  async #leaveTraces(refs: readonly ItemRef[]): Promise<void> {
    const { authority, copies, config } = this.#core;
    const sizeMax = config.limits.batchOperations;
    try {
      for (let at = 0; at < refs.length; at += sizeMax) {
        const chunk = refs.slice(at, at + sizeMax);
        const results = await authority.write(
          chunk.map(({ namespace, key }) => ({ kind: "remove", namespace, key, leaveTrace: true })),
        );
        const changes = chunk.flatMap(({ namespace, key }, index) => {
          const result = results[index];
          if (result === undefined || result.status === "conflict") return [];
          copies.invalidate({ namespace, key }, result.version);
          return { namespace, key, version: result.version, copy: undefined };
        });
        void this.#shared.settle(changes);
      }
    } catch (cause) {
      throw new MemoryError(
        "OUTCOME_UNKNOWN",
        "the ephemeral item was removed, but the database could not be told, so an older state of Redis may bring it back; remove it again",
        { cause },
      );
    }
  }

  /** The shared tier gives it its version. */
  #record(item: EphemeralSet): ItemRecord {
    const { namespace, key, body, metadata, tags, ttlSeconds } = item;
    const { clock } = this.#core;
    const wallMs = clock.wallMs();
    const ttlMs = ttlSeconds === undefined ? undefined : ttlSeconds * MS_PER_SECOND;
    return {
      namespace,
      key,
      body,
      metadata: deepFreeze(metadata),
      tags,
      version: 0,
      createdAtMs: wallMs,
      updatedAtMs: wallMs,
      expiresAtMs: ttlMs === undefined ? undefined : wallMs + ttlMs,
      deadlineMs: ttlMs === undefined ? Number.POSITIVE_INFINITY : clock.monotonicMs() + ttlMs,
    };
  }
}
