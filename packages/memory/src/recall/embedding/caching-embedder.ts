import { createHash } from "node:crypto";
import type { EmbeddingMetrics } from "../../metrics/embedding-metrics.ts";
import type { EmbedRequest, Embedder } from "./embedder.ts";
import type { KeptVector, LookedUp, VectorStore } from "./vector-store.ts";

export interface CachingOptions {
  readonly store: VectorStore;
  readonly metrics: EmbeddingMetrics;
  /** Told of failures of the store, which nobody else hears of. */
  readonly onError: (error: unknown) => void;
}

/** Of one call that are kept; what is embedded by the thousand is a rebuild and not asked again. */
const KEPT_TEXTS_MAX = 256;
const NOTHING: LookedUp = { found: [], keep: () => Promise.resolve() };

/**
 * Remembers vectors by model, kind, namespace and text, so that what was embedded once for a namespace
 * is not paid for again, and no namespace can tell what another one has embedded. Never a reason to
 * fail: a store that does not answer is an empty one.
 */
export class CachingEmbedder implements Embedder {
  readonly model: string;
  readonly dimensions: number;
  readonly version: string;
  readonly seesMeaning: boolean;
  readonly #embedder: Embedder;
  readonly #options: CachingOptions;
  readonly #keeping = new Set<Promise<void>>();

  constructor(embedder: Embedder, options: CachingOptions) {
    this.#embedder = embedder;
    this.#options = options;
    this.model = embedder.model;
    this.dimensions = embedder.dimensions;
    this.version = embedder.version;
    this.seesMeaning = embedder.seesMeaning;
  }

  async embed(texts: readonly string[], request: EmbedRequest): Promise<readonly Float32Array[]> {
    if (texts.length > KEPT_TEXTS_MAX) return this.#embedder.embed(texts, request);
    const ids = texts.map((text) => this.#idOf(text, request));
    const looked = await this.#lookUp(request.namespace, ids);
    const missing = texts.filter((_, at) => looked.found[at] === undefined);
    this.#options.metrics.embeddingCache(this.model, texts.length - missing.length, missing.length);
    if (missing.length === 0) return looked.found.filter((vector) => vector !== undefined);
    const made = [...(await this.#embedder.embed(missing, request))];
    const kept: KeptVector[] = [];
    const vectors = ids.map((id, at) => {
      const known = looked.found[at];
      if (known !== undefined) return known;
      const vector = made.shift() ?? new Float32Array(this.dimensions);
      kept.push({ id, vector });
      return vector;
    });
    this.#keep(looked, kept);
    return vectors;
  }

  async close(): Promise<void> {
    await this.#embedder.close();
    await Promise.all(this.#keeping);
  }

  #idOf(text: string, { kind, namespace }: EmbedRequest): string {
    const content = [this.model, this.version, this.dimensions, kind, namespace, text].join("\0");
    return createHash("sha256").update(content).digest("base64url");
  }

  async #lookUp(namespace: string, ids: readonly string[]): Promise<LookedUp> {
    try {
      return await this.#options.store.lookUp(namespace, ids);
    } catch (error) {
      this.#options.onError(error);
      return NOTHING;
    }
  }

  /** Nobody waits for it. */
  #keep(looked: LookedUp, kept: readonly KeptVector[]): void {
    const keeping = looked.keep(kept).catch(this.#options.onError);
    this.#keeping.add(keeping);
    void keeping.then(() => this.#keeping.delete(keeping));
  }
}
