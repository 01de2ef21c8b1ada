import { matchGlob } from "../model/glob.ts";
import type { Clock } from "../model/clock.ts";
import type { ItemRecord, ItemRef } from "../model/item.ts";
import { LRUCache } from "lru-cache";
import { refId } from "../tiers/tier.ts";

export interface EphemeralStoreOptions {
  readonly maxBytes: number;
  readonly clock: Clock;
}

/** Bookkeeping of one entry, counted with its bytes. */
const ENTRY_BYTES = 200;

/**
 * The authority of ephemeral items where one process owns the data. They may vanish under pressure;
 * they are never served after their TTL. Where several servers share the data this must be Redis.
 */
export class EphemeralStore {
  readonly #items: LRUCache<string, ItemRecord>;
  readonly #clock: Clock;

  constructor(options: EphemeralStoreOptions) {
    this.#clock = options.clock;
    this.#items = new LRUCache<string, ItemRecord>({
      maxSize: options.maxBytes,
      sizeCalculation: (record, id) =>
        record.body.byteLength + id.length * 2 + factBytes(record) + ENTRY_BYTES,
    });
  }

  find(ref: ItemRef): ItemRecord | undefined {
    if (this.#items.size === 0) return undefined;
    const id = refId(ref);
    const record = this.#items.get(id);
    if (record === undefined || record.deadlineMs > this.#clock.monotonicMs()) return record;
    this.#items.delete(id);
    return undefined;
  }

  /** False when the record alone is larger than the store. */
  put(record: ItemRecord): boolean {
    this.#items.set(refId(record), record);
    return this.#items.has(refId(record));
  }

  /** True if a live item was there. */
  remove(ref: ItemRef): boolean {
    const live = this.find(ref) !== undefined;
    this.#items.delete(refId(ref));
    return live;
  }

  /** Removes what matches; undefined pattern = everything. Returns how many. */
  removeWhere(scope: { namespace: string; below: boolean; pattern: string | undefined }): number {
    const prefix = scope.namespace === "" ? "" : `${scope.namespace}/`;
    let removed = 0;
    for (const [id, record] of [...this.#items.entries()]) {
      const inside =
        record.namespace === scope.namespace ||
        (scope.below && record.namespace.startsWith(prefix));
      if (!inside) continue;
      if (scope.pattern !== undefined && !matchGlob(scope.pattern, record.key)) continue;
      this.#items.delete(id);
      removed += 1;
    }
    return removed;
  }

  get size(): number {
    return this.#items.size;
  }
}

/** Twice the text of metadata and tags: strings may take two bytes a character. */
function factBytes({ metadata, tags }: ItemRecord): number {
  return 2 * (JSON.stringify(metadata).length + tags.reduce((sum, tag) => sum + tag.length, 0));
}
