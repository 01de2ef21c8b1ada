import type { Clock } from "../../model/clock.ts";
import { bytesVector, vectorBytes } from "../../recall/embedding/vector-store.ts";
import type { KeptVector, LookedUp, VectorStore } from "../../recall/embedding/vector-store.ts";
import { NO_METADATA, NO_TAGS } from "../core.ts";
import type { EphemeralStore } from "../ephemeral-store.ts";

export interface LocalVectorsOptions {
  /** One of their own: vectors must not push out what users put among the ephemeral items. */
  readonly store: EphemeralStore;
  readonly dimensions: number;
  readonly ttlSeconds: number;
  readonly clock: Clock;
}

const MS_PER_SECOND = 1000;

/** Cached vectors where one process owns the data: in its memory. */
export class LocalVectors implements VectorStore {
  readonly #options: LocalVectorsOptions;
  #forgotten = 0;

  constructor(options: LocalVectorsOptions) {
    this.#options = options;
  }

  async lookUp(namespace: string, ids: readonly string[]): Promise<LookedUp> {
    const { store, dimensions } = this.#options;
    const forgotten = this.#forgotten;
    return {
      found: ids.map((key) => {
        const record = store.find({ namespace, key });
        return record && bytesVector(record.body, dimensions);
      }),
      keep: async (entries) => {
        // What was forgotten while its vector was made must not come back with it.
        if (forgotten === this.#forgotten) for (const entry of entries) this.#put(namespace, entry);
      },
    };
  }

  forget(namespace: string, below: boolean): Promise<void> {
    return this.clear(namespace, below);
  }

  async clear(namespace: string, below: boolean): Promise<void> {
    this.#forgotten += 1;
    this.#options.store.removeWhere({ namespace, below, pattern: undefined });
  }

  #put(namespace: string, { id, vector }: KeptVector): void {
    const { store, ttlSeconds, clock } = this.#options;
    const wallMs = clock.wallMs();
    const ttlMs = ttlSeconds * MS_PER_SECOND;
    store.put({
      namespace,
      key: id,
      body: vectorBytes(vector),
      metadata: NO_METADATA,
      tags: NO_TAGS,
      version: 0,
      createdAtMs: wallMs,
      updatedAtMs: wallMs,
      expiresAtMs: wallMs + ttlMs,
      deadlineMs: clock.monotonicMs() + ttlMs,
    });
  }
}
