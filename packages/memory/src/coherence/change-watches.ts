import type { ItemRef } from "../model/item.ts";

/** Watches at a time; whoever comes when there are so many is never told, and must ask by himself. */
const WATCHES_MAX = 10_000;

export interface ChangeWatch {
  /** Resolves when a change of the item is heard of; never rejects. */
  readonly changed: Promise<void>;
  /** Always called, also when it was told. */
  end(): void;
}

interface Watcher {
  readonly namespace: string;
  readonly tell: () => void;
}

/**
 * Wakes those who wait for an item, once. It only makes waiting shorter: a change may go unheard, so
 * nobody may wait for it alone.
 */
export class ChangeWatches {
  readonly #byKey = new Map<string, Set<Watcher>>();
  readonly #max: number;
  #size = 0;

  constructor(max: number = WATCHES_MAX) {
    this.#max = max;
  }

  get size(): number {
    return this.#size;
  }

  watch({ namespace, key }: ItemRef): ChangeWatch {
    let tell = (): void => {};
    const changed = new Promise<void>((resolve) => {
      tell = resolve;
    });
    if (this.#size >= this.#max) return { changed, end: () => {} };
    const watcher = { namespace, tell };
    const watchers = this.#byKey.get(key) ?? new Set();
    watchers.add(watcher);
    this.#byKey.set(key, watchers);
    this.#size += 1;
    return { changed, end: () => this.#end(key, watcher) };
  }

  /** On the way of each invalidation, so next to nothing while nobody waits. */
  tell({ namespace, key }: ItemRef): void {
    if (this.#size === 0) return;
    for (const watcher of this.#byKey.get(key) ?? [])
      if (watcher.namespace === namespace) watcher.tell();
  }

  #end(key: string, watcher: Watcher): void {
    const watchers = this.#byKey.get(key);
    if (watchers?.delete(watcher) !== true) return;
    this.#size -= 1;
    if (watchers.size === 0) this.#byKey.delete(key);
  }
}
