/** Many models embed what is asked differently from what is stored; one that does not ignores this. */
export type EmbedKind = "passage" | "query";

export interface EmbedRequest {
  readonly kind: EmbedKind;
  /** Canonical namespace of the texts: cached vectors are kept, and forgotten, by it. */
  readonly namespace: string;
  /** Ends the wait. What others wait for too goes on. */
  readonly signal?: AbortSignal;
}

/**
 * Turns texts into vectors of one length.
 *
 * Every vector has Euclidean length 1, so that the dot product is the cosine, except that a text in
 * which the model sees nothing (it is empty, or all blanks) gives zeros, which are near to nothing.
 */
export interface Embedder {
  /** Names the model, the same on every server that uses it: part of an index version. */
  readonly model: string;
  /** Numbers in a vector. Known before the first call, so that an index can be made without one. */
  readonly dimensions: number;
  /** Another one wherever the same text would give another vector: part of an index version. */
  readonly version: string;
  /** Whether near vectors mean near in meaning, and not only in words: only then may duplicates be seen. */
  readonly seesMeaning: boolean;
  /**
   * One vector for each text, in the order of the texts; any number of texts. Throws
   * EMBEDDING_UNAVAILABLE or EMBEDDING_INVALID (worth another try), EMBEDDING_BUDGET_SPENT (worth one
   * after midnight UTC), or EMBEDDING_REFUSED (one of these texts is refused, however often it is sent).
   */
  embed(texts: readonly string[], request: EmbedRequest): Promise<readonly Float32Array[]>;
  /** Lets go of what it holds. Twice is harmless; `embed` then throws CLOSED. */
  close(): Promise<void>;
}
