import { MemoryError } from "../../model/errors.ts";
import { estimateTokens } from "./embedding-source.ts";
import type {
  EmbeddingSource,
  SourceAnswer,
  SourceLimits,
  SourceRequest,
} from "./embedding-source.ts";
import { toUnit } from "./unit-vector.ts";
import { BatchingEmbedder } from "./batching-embedder.ts";
import type { EmbedKind, Embedder } from "./embedder.ts";

export interface PrecomputedOptions {
  /** Names the model that made the vectors. */
  readonly model: string;
  readonly dimensions: number;
  readonly version?: string;
  readonly seesMeaning?: boolean;
  /** The vector of a text, from wherever it was made; undefined when there is none. */
  readonly lookUp: (
    text: string,
    kind: EmbedKind,
  ) => ArrayLike<number> | Promise<ArrayLike<number> | undefined> | undefined;
}

/** For `ManagerSeams.embedder`: nothing is asked but the look-up. */
export function precomputedEmbedder(options: PrecomputedOptions): Embedder {
  return new BatchingEmbedder(new PrecomputedSource(options));
}

const LIMITS: SourceLimits = {
  textsMax: 256,
  bytesMax: 4 * 1024 * 1024,
  // Not cut: a text is what its vector is looked up by.
  textCharsMax: Number.POSITIVE_INFINITY,
  inFlightMax: 4,
};

/** Vectors that were made elsewhere, looked up by their text. A text without one is refused. */
export class PrecomputedSource implements EmbeddingSource {
  readonly model: string;
  readonly dimensions: number;
  readonly version: string;
  readonly seesMeaning: boolean;
  readonly limits: SourceLimits = LIMITS;
  readonly #lookUp: PrecomputedOptions["lookUp"];

  constructor(options: PrecomputedOptions) {
    this.model = options.model;
    this.dimensions = options.dimensions;
    this.version = options.version ?? "1";
    this.seesMeaning = options.seesMeaning ?? true;
    this.#lookUp = options.lookUp;
  }

  async embedBatch(texts: readonly string[], request: SourceRequest): Promise<SourceAnswer> {
    const found = await Promise.all(texts.map(async (text) => this.#lookUp(text, request.kind)));
    return { vectors: found.map((vector) => this.#checked(vector)), tokens: estimateTokens(texts) };
  }

  async close(): Promise<void> {}

  #checked(found: ArrayLike<number> | undefined): Float32Array {
    if (found === undefined)
      throw new MemoryError(
        "EMBEDDING_REFUSED",
        `no vector of ${this.model} was given for this text; give one, or write with embed: false`,
      );
    const vector = Float32Array.from(found);
    if (vector.length === this.dimensions && toUnit(vector)) return vector;
    throw new MemoryError(
      "EMBEDDING_INVALID",
      `a vector of ${this.model} has ${vector.length} numbers or is all zeros; expected ${this.dimensions} finite numbers`,
    );
  }
}
