import type { ItemRef } from "../model/item.ts";
import { refId } from "../tiers/tier.ts";

/** Taken before a query whose answer may become a copy; refuses answers that a later change outran. */
export class FillToken {
  readonly ref: ItemRef;
  /** Answers below this version are older than a change that was seen meanwhile. */
  minVersion = 0;

  constructor(ref: ItemRef) {
    this.ref = ref;
  }

  allows(version: number): boolean {
    return version >= this.minVersion;
  }
}

/**
 * Stops a slow read from putting back what a write, delete or invalidation removed while it was on
 * its way. "Only if newer" in the tier is not enough: after a delete there is nothing to compare with.
 * Holds one token a query in flight, so it is as small as the concurrency.
 */
export class FillGuard {
  readonly #tokens = new Map<string, Set<FillToken>>();

  begin(ref: ItemRef): FillToken {
    const token = new FillToken(ref);
    const id = refId(ref);
    const tokens = this.#tokens.get(id);
    if (tokens === undefined) this.#tokens.set(id, new Set([token]));
    else tokens.add(token);
    return token;
  }

  /** Always called, also when the query failed. */
  end(token: FillToken): void {
    const id = refId(token.ref);
    const tokens = this.#tokens.get(id);
    if (tokens === undefined) return;
    tokens.delete(token);
    if (tokens.size === 0) this.#tokens.delete(id);
  }

  /** Answers below `version` (Infinity: any) for this item are stale from now on. */
  raise(ref: ItemRef, version: number): void {
    const tokens = this.#tokens.get(refId(ref));
    if (tokens === undefined) return;
    for (const token of tokens) token.minVersion = Math.max(token.minVersion, version);
  }

  /** Like `raise` for every item that `matches`. */
  raiseWhere(matches: (ref: ItemRef) => boolean): void {
    for (const tokens of this.#tokens.values())
      for (const token of tokens)
        if (matches(token.ref)) token.minVersion = Number.POSITIVE_INFINITY;
  }

  get size(): number {
    return this.#tokens.size;
  }
}
