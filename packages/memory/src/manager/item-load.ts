import { MemoryError, VersionConflict, isMemoryError } from "../model/errors.ts";
import type { ItemRef, JsonValue } from "../model/item.ts";
import { deepFreeze } from "../model/value.ts";
import type { LoadClaim } from "../tiers/authority.ts";
import { checkSet } from "./inputs.ts";
import type { CheckedSet } from "./inputs.ts";
import type { LoadRequest } from "./load-once.ts";
import type { LoadOptions } from "./memory.ts";
import type { Parts } from "./runtime.ts";

const MS_PER_SECOND = 1000;
/** One renewal may fail or be late, and the lease still stands at the next. */
const RENEWALS_PER_LEASE = 3;
const LATEST = { consistency: "latest" } as const;

interface Grant {
  readonly ref: ItemRef;
  readonly claim: LoadClaim;
  readonly leaseSeconds: number;
  readonly loaderTimeoutMs: number;
}

/** One call of a loader under a lease, and what becomes of its value. */
export class ItemLoad {
  readonly #parts: Parts;
  readonly #grant: Grant;
  #isStored = false;

  constructor(parts: Parts, grant: Grant) {
    this.#parts = parts;
    this.#grant = grant;
  }

  async run({ loader, options }: LoadRequest): Promise<JsonValue> {
    const { ref } = this.#grant;
    const isEphemeral = options.durability === "ephemeral";
    try {
      // The authority knows nothing of ephemeral items: another server may have just set it. An
      // ordinary read passes over the shared tier while this server has no proof of the log.
      if (isEphemeral) {
        const served = await this.#parts.read.readObject(ref, LATEST);
        if (served !== undefined) return served.record.value;
      }
      const loaded = await this.#load(loader);
      if (loaded === undefined)
        throw new MemoryError(
          "INVALID_VALUE",
          "loader: returned undefined; return null where there is nothing to load",
          { field: "loader" },
        );
      const { limits } = this.#parts.core.config;
      const set = checkSet(ref.key, loaded, { ...options, ifVersion: null }, limits);
      return isEphemeral ? await this.#storeEphemeral(set) : await this.#store(set, options);
    } finally {
      // So that the next need not wait until it runs out.
      await this.#release();
    }
  }

  /** Calls the loader, renews the lease while it runs, and gives it up when it takes too long. */
  async #load(loader: () => unknown): Promise<unknown> {
    const { clock } = this.#parts.core;
    const { ref, loaderTimeoutMs } = this.#grant;
    const stop = new AbortController();
    void this.#renew(stop.signal);
    const timeout = clock.sleep(loaderTimeoutMs, stop.signal).then(
      () => {
        throw new MemoryError(
          "DEADLINE_EXCEEDED",
          `the loader of item ${JSON.stringify(ref.key)} has not answered within ${loaderTimeoutMs} ms; what it may bring later is not stored`,
        );
      },
      () => undefined,
    );
    try {
      return await Promise.race([(async () => loader())(), timeout]);
    } finally {
      stop.abort();
    }
  }

  /** Never rejects. */
  async #renew(signal: AbortSignal): Promise<void> {
    const { clock, authority } = this.#parts.core;
    const { ref, claim, leaseSeconds } = this.#grant;
    if (claim.token === undefined) return;
    const everyMs = (leaseSeconds * MS_PER_SECOND) / RENEWALS_PER_LEASE;
    while (!signal.aborted) {
      try {
        await clock.sleep(everyMs, signal);
        // Lost or outrun: the loader is left to end, for its caller waits for it.
        if (!(await authority.renewLease(ref, claim.token, leaseSeconds))) return;
      } catch {
        // Stopped, or the authority was away for a moment: the next renewal may still be in time, and
        // if none is, the value will be refused.
      }
    }
  }

  /** Stores what was loaded, unless a change outran it: then what is there now wins. */
  async #store(set: CheckedSet, options: LoadOptions): Promise<JsonValue> {
    const { core, write, ephemeral } = this.#parts;
    const { ref, claim } = this.#grant;
    const put = { ...write.encodePut(ref.namespace, set), claim };
    const value = deepFreeze(core.codec.decode(put.body, ref));
    try {
      await ephemeral.conditionBeside(ref, { condition: "absent" });
      await write.put(put, options.tierHint === undefined ? {} : { tierHint: options.tierHint });
      this.#isStored = true;
      return value;
    } catch (error) {
      if (!(error instanceof VersionConflict)) throw error;
      return this.#winner(value);
    }
  }

  /**
   * The lease and the key are looked at just before, for no one statement can judge both the authority
   * and the home of ephemeral items.
   */
  async #storeEphemeral(set: CheckedSet): Promise<JsonValue> {
    const { core, ephemeral } = this.#parts;
    const { ref, claim, leaseSeconds } = this.#grant;
    const value = deepFreeze(core.codec.decode(core.codec.encode(set.value, ref), ref));
    const stands =
      claim.token === undefined ||
      (await core.authority.renewLease(ref, claim.token, leaseSeconds));
    if (!stands) return this.#winner(value);
    try {
      await ephemeral.set(ref.namespace, set);
      return value;
    } catch (error) {
      const isTaken = isMemoryError(error) && error.code === "DURABILITY_CONFLICT";
      if (!(error instanceof VersionConflict) && !isTaken) throw error;
      return this.#winner(value);
    }
  }

  /**
   * What is there now. When it was removed again, the caller gets what was loaded for him, and it is
   * stored nowhere: to give nothing would be no answer, and to load again might never end.
   */
  async #winner(loaded: JsonValue): Promise<JsonValue> {
    const served = await this.#parts.read.readObject(this.#grant.ref, LATEST);
    return served === undefined ? loaded : served.record.value;
  }

  /** A durable store has ended it already; if it cannot be told now, it ends by itself. */
  async #release(): Promise<void> {
    const { ref, claim } = this.#grant;
    if (claim.token === undefined || this.#isStored) return;
    await this.#parts.core.authority.releaseLease(ref, claim.token).catch(() => {});
  }
}
