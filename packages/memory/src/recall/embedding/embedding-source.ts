import { Buffer } from "node:buffer";
import type { EmbedKind } from "./embedder.ts";

export interface SourceRequest {
  readonly kind: EmbedKind;
  readonly signal: AbortSignal;
}

export interface SourceAnswer {
  /** One for each text, in their order, of length 1. */
  readonly vectors: readonly Float32Array[];
  /** What the model read, as its endpoint counted or as we estimate: the unit of limits and budgets. */
  readonly tokens: number;
}

/** What one call may be given. Texts come cut to `textCharsMax`, and none of them is blank. */
export interface SourceLimits {
  readonly textsMax: number;
  readonly bytesMax: number;
  readonly textCharsMax: number;
  /** Calls at once. */
  readonly inFlightMax: number;
}

/**
 * What makes vectors, asked in bounded batches by `BatchingEmbedder`. Limits, budgets, breakers and
 * metrics are sources around a source; callers only ever see an `Embedder`.
 */
export interface EmbeddingSource {
  readonly model: string;
  readonly dimensions: number;
  readonly version: string;
  readonly seesMeaning: boolean;
  readonly limits: SourceLimits;
  /** Rejects with the codes of `Embedder.embed`, or with the reason of the signal. */
  embedBatch(texts: readonly string[], request: SourceRequest): Promise<SourceAnswer>;
  close(): Promise<void>;
}

/** English has about four bytes a token; other languages more tokens, which the endpoint then counts. */
const BYTES_PER_TOKEN = 4;

export function estimateTokens(texts: readonly string[]): number {
  return texts.reduce((sum, text) => sum + Math.ceil(Buffer.byteLength(text) / BYTES_PER_TOKEN), 0);
}
