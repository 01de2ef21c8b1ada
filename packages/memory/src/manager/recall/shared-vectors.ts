import { Buffer } from "node:buffer";
import type { SharedCopies } from "../../coherence/shared-copies.ts";
import type { ItemRef } from "../../model/item.ts";
import { bytesVector, vectorBytes } from "../../recall/embedding/vector-store.ts";
import type { LookedUp, VectorStore } from "../../recall/embedding/vector-store.ts";
import type { EphemeralPut } from "../../tiers/shared.ts";
import { NO_METADATA, NO_TAGS } from "../core.ts";
import type { Core } from "../core.ts";

/**
 * The namespaces of cached vectors mirror those of the items they were made for, below a name of their
 * own: no claim to a namespace reaches what lies here, and no count or page of one shows it.
 */
const ROOT = "\u0001embeddings";
const MS_PER_SECOND = 1000;

/**
 * Cached vectors of many servers: ephemeral items of the shared tier. To forget them is to clear their
 * namespace: the log then ends them in every server's eyes, what a server is making at that moment and
 * what an old state of the shared tier brings back included, without a walk through its keys.
 */
export class SharedVectors implements VectorStore {
  readonly #core: Core;
  readonly #shared: SharedCopies;
  readonly #dimensions: number;

  constructor(core: Core, shared: SharedCopies, dimensions: number) {
    this.#core = core;
    this.#shared = shared;
    this.#dimensions = dimensions;
  }

  async lookUp(namespace: string, ids: readonly string[]): Promise<LookedUp> {
    const refs = ids.map((id) => this.#refOf(namespace, id));
    // Before the vectors are made: what is forgotten from here on ends them.
    const place = this.#shared.place();
    const baseVersions = new Map(refs.map((ref) => [ref.key, this.#shared.newest(ref)]));
    const records = await this.#shared.findEphemeral(refs);
    return {
      found:
        records === "unknown"
          ? []
          : records.map((record, at) => record && this.#decode(record.body, refs[at])),
      keep: async (entries) => {
        if (place === undefined || !this.#shared.isOfNow(place)) return;
        const { provenAt } = place;
        await Promise.all(
          entries.map(async ({ id, vector }) => {
            const ref = this.#refOf(namespace, id);
            const baseVersion = baseVersions.get(ref.key) ?? 0;
            return this.#put(ref, vector, { provenAt, baseVersion });
          }),
        );
      },
    };
  }

  async clear(namespace: string, below: boolean): Promise<void> {
    const scope = { namespace: mirrored(namespace), below };
    const { version } = await this.#core.authority.clear(scope.namespace, below);
    await this.#shared.announceClear({ ...scope, version });
  }

  async forget(namespace: string, below: boolean): Promise<void> {
    await this.clear(namespace, below);
    const scope = { namespace: mirrored(namespace), below };
    await this.#shared.tier.removeEphemeralWhere(scope, () => true);
  }

  /** What an id is made of may be guessed: with encryption keys it stands here under one. */
  #refOf(namespace: string, id: string): ItemRef {
    return { namespace: mirrored(namespace), key: this.#core.codec.blind(id) };
  }

  #decode(body: Uint8Array, ref: ItemRef | undefined): Float32Array | undefined {
    if (ref === undefined) return undefined;
    try {
      const text = this.#core.codec.decode(body, ref);
      if (typeof text !== "string") return undefined;
      return bytesVector(Buffer.from(text, "base64"), this.#dimensions);
    } catch {
      // Damaged, or of a key that is gone: not there, and written anew.
      return undefined;
    }
  }

  async #put(
    ref: ItemRef,
    vector: Float32Array,
    proof: Pick<EphemeralPut, "baseVersion" | "provenAt">,
  ): Promise<void> {
    const { clock, codec, config } = this.#core;
    const wallMs = clock.wallMs();
    const ttlMs = config.embeddings.cacheSeconds * MS_PER_SECOND;
    await this.#shared.tier.putEphemeral({
      record: {
        ...ref,
        body: codec.encode(Buffer.from(vectorBytes(vector)).toString("base64"), ref),
        metadata: NO_METADATA,
        tags: NO_TAGS,
        version: 0,
        createdAtMs: wallMs,
        updatedAtMs: wallMs,
        expiresAtMs: wallMs + ttlMs,
        deadlineMs: clock.monotonicMs() + ttlMs,
      },
      ttlMs,
      ...proof,
      condition: undefined,
    });
  }
}

function mirrored(namespace: string): string {
  return namespace === "" ? ROOT : `${ROOT}/${namespace}`;
}
