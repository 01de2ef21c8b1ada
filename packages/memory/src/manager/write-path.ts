import { createHash } from "node:crypto";
import { Copies, mayHaveHappened } from "../coherence/copies.ts";
import type { FillToken } from "../coherence/fill-guard.ts";
import type { EpochPlace } from "../coherence/shared-copies.ts";
import { MemoryError, VersionConflict } from "../model/errors.ts";
import { MemoryTier } from "../model/item.ts";
import type { DeleteReceipt, ItemRef, Receipt, TierOutcome } from "../model/item.ts";
import { deepFreeze } from "../model/value.ts";
import { KEPT_INDEXING } from "../tiers/authority.ts";
import type {
  Condition,
  PutOperation,
  RemoveOperation,
  TouchOperation,
  WriteOperation,
  WriteOptions,
  WriteResult,
} from "../tiers/authority.ts";
import { encodeIndexing } from "../recall/indexing/stored-indexing.ts";
import { refId } from "../tiers/tier.ts";
import type { Core } from "./core.ts";
import { checkValueBytes, describeCondition } from "./inputs.ts";
import type { CheckedSet } from "./inputs.ts";
import { mergePatch } from "./merge-patch.ts";
import { fillShared, reserveShared, settleShared, unsettled } from "./settle-shared.ts";
import type { Placement, Settled, TierOutcomes } from "./settle-shared.ts";

/** A hint names the slowest tier that keeps a copy; none means process memory. */
export function placementOf(tierHint: MemoryTier | undefined): Placement {
  return {
    objects: tierHint === MemoryTier.L0_CPU_CACHE,
    bytes:
      tierHint === undefined ||
      tierHint === MemoryTier.L0_CPU_CACHE ||
      tierHint === MemoryTier.L1_PROCESS_MEMORY,
    shared: tierHint === MemoryTier.L2_SHARED_MEMORY,
  };
}

/** Hash of a request, so that one idempotency key cannot stand for two different writes. */
export function requestHash(parts: unknown): string {
  return createHash("sha256").update(JSON.stringify(parts)).digest("base64url");
}

/** Writes: the authority first, then the copies in this process. */
export class WritePath {
  readonly #core: Core;

  constructor(core: Core) {
    this.#core = core;
  }

  /** The put of a checked set, its value encoded. */
  encodePut(namespace: string, set: CheckedSet): PutOperation {
    const ref = { namespace, key: set.key };
    const body = this.#core.codec.encode(set.value, ref);
    checkValueBytes(this.#core.codec.valueBytes(body), this.#core.config.limits);
    const { metadata, tags, indexing, ttlSeconds, condition } = set;
    return {
      kind: "put",
      ...ref,
      body,
      metadata,
      tags,
      ...(indexing === undefined
        ? {}
        : { indexing: encodeIndexing(this.#core.codec, ref, indexing) }),
      ttlSeconds,
      ...(condition === undefined ? {} : { condition }),
    };
  }

  /** Writes operations on distinct keys; copies are right before this returns, also when it throws. */
  async write(
    operations: readonly WriteOperation[],
    options: WriteOptions & { readonly placement?: (index: number) => Placement } = {},
  ): Promise<{ results: readonly WriteResult[]; outcomes: readonly TierOutcomes[] }> {
    const { authority, copies, shared, writes } = this.#core;
    writes.count += 1;
    const token = copies.guard.begin();
    const placements = operations.map(
      (_, index) => options.placement?.(index) ?? placementOf(undefined),
    );
    try {
      const reserved = await reserveShared(shared, operations, placements);
      const place = shared?.place();
      const results = await authority.write(this.#traced(operations), options);
      const settled = operations.map((operation, index) =>
        this.#settle(operation, results[index], {
          // A repeated request may be answered by an old receipt: it proves nothing about now.
          token: options.idempotency === undefined ? token : undefined,
          placement: placements[index] ?? placementOf(undefined),
          place,
        }),
      );
      const hinted = shared && reserved && (await fillShared(shared, settled, reserved));
      const waits = placements.some((placement) => placement.shared);
      const outcomes = await settleShared(shared, settled, { place, waits });
      return { results, outcomes: outcomes.map((one, at) => ({ ...one, ...hinted?.[at] })) };
    } catch (error) {
      // Nobody may trust a copy made before what may have happened.
      if (mayHaveHappened(error))
        for (const operation of operations) copies.invalidate(operation, Number.POSITIVE_INFINITY);
      throw error;
    } finally {
      copies.guard.end(token);
    }
  }

  /** One put. Throws VersionConflict when its condition does not hold. */
  async put(
    operation: PutOperation,
    options: WriteOptions & { readonly tierHint?: MemoryTier } = {},
  ): Promise<Receipt> {
    const placement = placementOf(options.tierHint);
    const { results, outcomes } = await this.write([operation], {
      ...options,
      placement: () => placement,
    });
    const written = this.#mustHold(operation, results[0]);
    return {
      key: operation.key,
      version: String(written.version),
      tiers: this.#tiers(outcomes[0]),
    };
  }

  async remove(operation: RemoveOperation, options: WriteOptions = {}): Promise<DeleteReceipt> {
    const { results, outcomes } = await this.write([operation], options);
    const result = this.#mustHold(operation, results[0]);
    return {
      key: operation.key,
      version: String(result.version),
      existed: result.status === "written",
      tiers: this.#tiers(outcomes[0]),
    };
  }

  async touch(operation: TouchOperation): Promise<Receipt> {
    const { results, outcomes } = await this.write([operation]);
    const result = this.#mustHold(operation, results[0]);
    if (result.status === "absent") throw notFound(operation.key);
    return {
      key: operation.key,
      version: String(result.version),
      tiers: this.#tiers(outcomes[0]),
    };
  }

  /** RFC 7396 inside one transaction of the authority. */
  async patch(
    ref: ItemRef,
    patch: unknown,
    options: WriteOptions & { readonly condition?: Exclude<Condition, "absent"> },
  ): Promise<Receipt> {
    const { authority, copies, codec, config, shared, writes } = this.#core;
    writes.count += 1;
    const token = copies.guard.begin();
    const place = shared?.place();
    let operation: PutOperation | undefined;
    /** Of the item as it was found; null: there was none. */
    let found: number | null | undefined;
    try {
      const result = await authority.modify(
        ref,
        (current) => {
          found = current?.version ?? null;
          if (current === undefined) throw this.#missing(ref, options.condition);
          const { condition } = options;
          if (typeof condition === "number" && condition !== current.version)
            throw new VersionConflict(ref.key, describeCondition(condition), {
              version: String(current.version),
            });
          const value = mergePatch(codec.decode(current.body, current), patch, config.limits);
          const body = codec.encode(value, ref);
          checkValueBytes(codec.valueBytes(body), config.limits);
          operation = {
            kind: "put",
            ...ref,
            body,
            metadata: current.metadata,
            tags: current.tags,
            indexing: KEPT_INDEXING,
            ttlSeconds: undefined,
            ...(current.expiresAtMs === undefined ? {} : { expiresAtMs: current.expiresAtMs }),
          };
          return operation;
        },
        options,
      );
      if (result?.status !== "written") throw notFound(ref.key);
      // A replayed receipt comes without running the patch: then there is nothing new to copy.
      const isReplay = operation === undefined || options.idempotency !== undefined;
      const settled = isReplay
        ? this.#marked(ref, result.version)
        : this.#settle(operation ?? { kind: "remove", ...ref }, result, {
            token,
            placement: placementOf(undefined),
            place,
          });
      const [outcomes] = await settleShared(shared, [settled], { place, waits: false });
      return { key: ref.key, version: String(result.version), tiers: this.#tiers(outcomes) };
    } catch (error) {
      if (mayHaveHappened(error)) copies.invalidate(ref, Number.POSITIVE_INFINITY);
      else if (found !== undefined) this.#shown(ref, found);
      throw error;
    } finally {
      copies.guard.end(token);
    }
  }

  #missing(ref: ItemRef, condition: Condition | undefined): MemoryError {
    return condition === undefined
      ? notFound(ref.key)
      : new VersionConflict(ref.key, describeCondition(condition), null);
  }

  /** Turns a failed condition into its error. */
  #mustHold(
    operation: WriteOperation,
    result: WriteResult | undefined,
  ): Exclude<WriteResult, { status: "conflict" }> {
    if (result === undefined) throw new MemoryError("INTERNAL", "the authority gave no result");
    if (result.status !== "conflict") return result;
    const { currentVersion } = result;
    throw new VersionConflict(
      operation.key,
      operation.condition === undefined ? "a write" : describeCondition(operation.condition),
      currentVersion === null ? null : { version: String(currentVersion) },
    );
  }

  /**
   * To remove what is being loaded here is a change although nothing is there: what the loader brings is
   * older. Of loads on other servers the authority knows by their leases.
   */
  #traced(operations: readonly WriteOperation[]): readonly WriteOperation[] {
    const { flights } = this.#core;
    if (flights.size === 0) return operations;
    return operations.map((operation) =>
      operation.kind === "remove" && flights.has(refId(operation))
        ? { ...operation, leaveTrace: true }
        : operation,
    );
  }

  /** Makes the copies in this process agree with what the authority has just committed. */
  #settle(
    operation: WriteOperation,
    result: WriteResult | undefined,
    how: {
      readonly token: FillToken | undefined;
      readonly placement: Placement;
      readonly place: EpochPlace | undefined;
    },
  ): Settled {
    const { copies, ephemeral } = this.#core;
    if (result === undefined) return unsettled(operation);
    if (result.status === "conflict") {
      this.#shown(operation, result.currentVersion);
      return unsettled(operation);
    }
    // Also after an old receipt that wrote nothing now: an ephemeral item may vanish at any time, but
    // one that hides a durable item may not stay.
    ephemeral?.remove(operation);
    if (operation.kind !== "put" || result.status !== "written" || how.token === undefined)
      return this.#marked(operation, result.version);
    this.#committed(operation, result.version);
    const { version, createdAtMs, updatedAtMs, expiresAtMs, deadlineMs } = result;
    const { namespace, key, metadata, tags, body } = operation;
    const record = {
      namespace,
      key,
      body,
      metadata: deepFreeze(metadata),
      tags: Object.freeze([...tags]),
      version,
      createdAtMs,
      updatedAtMs,
      expiresAtMs,
      deadlineMs,
    };
    const bytes = how.placement.bytes ? copies.fill(how.token, record) : "skipped";
    let objects: TierOutcome = "skipped";
    if (how.placement.objects) {
      const value = deepFreeze(this.#core.codec.decode(body, record));
      const sizeBytes = this.#core.codec.valueBytes(body);
      const { body: _, ...meta } = record;
      objects = copies.fillObject(how.token, { ...meta, value, sizeBytes });
    }
    // One with a lifetime is left to the next reader: in the shared tier it counts from a lease.
    const isLasting = deadlineMs === Number.POSITIVE_INFINITY;
    const copy =
      isLasting && how.place !== undefined ? { record, provenAt: how.place.provenAt } : undefined;
    const change = { namespace, key, version, copy };
    return { ref: operation, objects, bytes, record, change };
  }

  #committed(ref: ItemRef, version: number): void {
    this.#core.copies.invalidate(ref, version);
    this.#core.shared?.note(ref, version);
  }

  /** An answer tells how things are now (null: no live item): nothing that says otherwise may follow. */
  #shown(ref: ItemRef, currentVersion: number | null): void {
    const { copies, readsAhead } = this.#core;
    const version = currentVersion ?? Number.POSITIVE_INFINITY;
    readsAhead?.note(ref, version);
    copies.invalidate(ref, version);
  }

  /** Nothing older than this version stays anywhere; what is new is for the next reader to copy. */
  #marked(ref: ItemRef, version: number): Settled {
    const { namespace, key } = ref;
    this.#committed(ref, version);
    const change = { namespace, key, version, copy: undefined };
    return { ref, objects: "skipped", bytes: "skipped", record: undefined, change };
  }

  #tiers(outcomes: TierOutcomes | undefined): Receipt["tiers"] {
    const { copies, authority, shared } = this.#core;
    return Copies.outcomes(authority.name, [
      [copies.objects?.name, outcomes?.objects ?? "skipped"],
      [copies.bytes?.name, outcomes?.bytes ?? "skipped"],
      [shared?.tier.name, outcomes?.shared ?? "skipped"],
    ]);
  }
}

export function notFound(key: string): MemoryError {
  return new MemoryError("NOT_FOUND", `item ${JSON.stringify(key)} does not exist`);
}
