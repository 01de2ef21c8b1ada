import type {
  EmbeddingSource,
  SourceAnswer,
  SourceLimits,
  SourceRequest,
} from "../recall/embedding/embedding-source.ts";
import { estimateTokens } from "../recall/embedding/embedding-source.ts";

export interface FakeSourceOptions {
  readonly limits?: Partial<SourceLimits>;
  /** Called in place of an answer at once: may wait, throw, or answer otherwise. */
  readonly answer?: (
    texts: readonly string[],
    request: SourceRequest,
  ) => Promise<SourceAnswer | undefined> | SourceAnswer | undefined;
}

/** A source whose vector of a text says its length, and that keeps what it was asked. */
export class FakeEmbeddingSource implements EmbeddingSource {
  readonly model = "fake";
  readonly dimensions = 2;
  readonly version = "1";
  readonly seesMeaning = true;
  readonly limits: SourceLimits;
  readonly calls: (readonly string[])[] = [];
  isClosed = false;
  readonly #answer: FakeSourceOptions["answer"];

  constructor(options: FakeSourceOptions = {}) {
    const limits = { textsMax: 4, bytesMax: 1000, textCharsMax: 100, inFlightMax: 2 };
    this.limits = { ...limits, ...options.limits };
    this.#answer = options.answer;
  }

  async embedBatch(texts: readonly string[], request: SourceRequest): Promise<SourceAnswer> {
    this.calls.push(texts);
    const answer = await this.#answer?.(texts, request);
    return answer ?? { vectors: texts.map(fakeVector), tokens: estimateTokens(texts) };
  }

  async close(): Promise<void> {
    this.isClosed = true;
  }
}

export function fakeVector(text: string): Float32Array {
  return Float32Array.of(1, text.length);
}
