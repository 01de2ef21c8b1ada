import { LRUCache } from "lru-cache";
import type { Clock } from "../../model/clock.ts";
import type { VectorScope } from "../vector.ts";

const SCOPES_MAX = 4096;
/** A namespace that shrank is searched by the graph for so long: slower, and no worse. */
const KNOWN_FOR_MS = 60_000;

/** Which namespaces were seen to be too large for exact search, so that they are not counted each time. */
export class LargeScopes {
  readonly #clock: Clock;
  readonly #seenAtMs = new LRUCache<string, number>({ max: SCOPES_MAX });

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  has(scope: VectorScope): boolean {
    const seenAtMs = this.#seenAtMs.get(nameOf(scope));
    return seenAtMs !== undefined && this.#clock.monotonicMs() - seenAtMs < KNOWN_FOR_MS;
  }

  add(scope: VectorScope): void {
    this.#seenAtMs.set(nameOf(scope), this.#clock.monotonicMs());
  }
}

function nameOf({ index, namespace, below }: VectorScope): string {
  return `${index}\u0000${below ? "b" : "e"}\u0000${namespace}`;
}
