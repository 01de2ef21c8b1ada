import type { Clock, Random } from "../../../model/clock.ts";
import { isMemoryError } from "../../../model/errors.ts";
import type { MemoryError } from "../../../model/errors.ts";
import type {
  EmbeddingSource,
  SourceAnswer,
  SourceLimits,
  SourceRequest,
} from "../embedding-source.ts";
import { parseAnswer } from "./answer.ts";
import { exchange } from "./exchange.ts";
import type { Answered } from "./exchange.ts";
import { judge, pauseMs } from "./retry.ts";
import type { Secret } from "./secret.ts";

export interface OpenAiOptions {
  /** What comes before `/embeddings`, such as https://api.openai.com/v1. */
  readonly url: string;
  readonly model: string;
  readonly dimensions: number;
  readonly apiKey: Secret;
  readonly clock: Clock;
  readonly random: Random;
  /** One request. Default 30 s. */
  readonly timeoutMs?: number | undefined;
  readonly limits?: Partial<SourceLimits>;
}

/** OpenAI takes 2,048 texts and 300,000 tokens; other servers less, and a small batch is tried again cheaply. */
const LIMITS: SourceLimits = {
  textsMax: 128,
  bytesMax: 256 * 1024,
  // Of most scripts below the 8,191 tokens that its models read.
  textCharsMax: 8 * 1024,
  inFlightMax: 4,
};
const TIMEOUT_MS = 30_000;
const ATTEMPTS_MAX = 4;
/** A number of JSON takes up to 25 bytes; the rest is names and usage. */
const BYTES_PER_NUMBER = 32;
const ENVELOPE_BYTES = 64 * 1024;
/** Only these are known to be cut to fewer dimensions on request; others answer the request with an error. */
const CAN_BE_SHORTENED = /^text-embedding-3-/;

/** Any endpoint that answers as OpenAI's `/embeddings` does. */
export class OpenAiSource implements EmbeddingSource {
  readonly model: string;
  readonly dimensions: number;
  /** The endpoint's own: the same model gives the same vectors wherever it is served. */
  readonly version = "1";
  readonly seesMeaning = true;
  readonly limits: SourceLimits;
  readonly #options: OpenAiOptions;
  readonly #url: URL;

  constructor(options: OpenAiOptions) {
    this.model = options.model;
    this.dimensions = options.dimensions;
    this.limits = { ...LIMITS, ...options.limits };
    this.#options = options;
    this.#url = new URL(options.url);
    this.#url.pathname = `${this.#url.pathname.replace(/\/+$/, "")}/embeddings`;
  }

  async embedBatch(texts: readonly string[], { signal }: SourceRequest): Promise<SourceAnswer> {
    const body = JSON.stringify({
      model: this.model,
      input: texts,
      encoding_format: "float",
      ...(CAN_BE_SHORTENED.test(this.model) ? { dimensions: this.dimensions } : {}),
    });
    const answered = await this.#ask(body, texts.length, signal);
    return parseAnswer(answered.body, { texts, model: this.model, dimensions: this.dimensions });
  }

  async close(): Promise<void> {}

  async #ask(body: string, texts: number, signal: AbortSignal): Promise<Answered> {
    const { clock } = this.#options;
    for (let attempt = 1; ; attempt++) {
      const { answered, error, isWorthATry } = await this.#attempt(body, texts, signal);
      if (error === undefined) return answered;
      if (!isWorthATry || attempt >= ATTEMPTS_MAX) throw error;
      const waitMs = pauseMs(attempt, answered?.retryAfter ?? null, this.#options);
      if (waitMs === undefined) throw error;
      await clock.sleep(waitMs, signal);
    }
  }

  async #attempt(body: string, texts: number, signal: AbortSignal): Promise<Attempt> {
    const { apiKey, clock, timeoutMs = TIMEOUT_MS } = this.#options;
    const answerBytesMax = texts * this.dimensions * BYTES_PER_NUMBER + ENVELOPE_BYTES;
    try {
      const answered = await exchange({
        url: this.#url,
        body,
        apiKey: await apiKey(),
        timeoutMs,
        answerBytesMax,
        clock,
        signal,
      });
      const verdict = judge(answered, this.#url.origin);
      if (verdict.kind === "read") return { answered };
      return { answered, error: verdict.error, isWorthATry: verdict.kind === "again" };
    } catch (error) {
      if (!isMemoryError(error) || signal.aborted) throw error;
      return { error, isWorthATry: error.code === "EMBEDDING_UNAVAILABLE" };
    }
  }
}

type Attempt =
  | { readonly answered: Answered; readonly error?: undefined; readonly isWorthATry?: undefined }
  | { readonly answered?: Answered; readonly error: MemoryError; readonly isWorthATry: boolean };
