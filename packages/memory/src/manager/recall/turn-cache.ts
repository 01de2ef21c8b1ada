import type { TurnFeatures } from "../../recall/ranking/turn-features.ts";
import type { MemoryFields } from "../../recall/memory-item.ts";
import type { ItemRef } from "../../model/item.ts";
import { refId } from "../../tiers/tier.ts";

/** What ranking and filters read of a memory, of one version. Without its text. */
export interface KnownTurn extends ItemRef {
  readonly version: number;
  readonly facts: Omit<MemoryFields, "text">;
  readonly features: TurnFeatures;
}

/** Terms of all turns together, some 20 bytes each with what stands beside them. */
const TERMS_MAX = 500_000;
/** A turn without words takes its place too. */
const TURN_TERMS = 10;

/**
 * Turns read lately. To make one takes longer than to rank it. A version never changes, so nothing here
 * can be stale; whether it is alive is asked of the authority each time.
 */
export class TurnCache {
  readonly #turns = new Map<string, KnownTurn>();
  #terms = 0;

  /** undefined also where another version is known. */
  get(ref: ItemRef, version: number): KnownTurn | undefined {
    const id = refId(ref);
    const known = this.#turns.get(id);
    if (known?.version !== version) return undefined;
    this.#turns.delete(id);
    this.#turns.set(id, known);
    return known;
  }

  set(turn: KnownTurn): void {
    const id = refId(turn);
    this.#drop(id);
    this.#turns.set(id, turn);
    this.#terms += weightOf(turn);
    for (const oldest of this.#turns.keys()) {
      if (this.#terms <= TERMS_MAX) break;
      this.#drop(oldest);
    }
  }

  /** What is forgotten leaves no words behind on this server. */
  clear(): void {
    this.#turns.clear();
    this.#terms = 0;
  }

  #drop(id: string): void {
    const turn = this.#turns.get(id);
    if (turn === undefined) return;
    this.#turns.delete(id);
    this.#terms -= weightOf(turn);
  }
}

function weightOf({ features }: KnownTurn): number {
  return features.terms.length + TURN_TERMS;
}
