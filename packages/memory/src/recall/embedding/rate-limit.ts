import type { Clock } from "../../model/clock.ts";
import { estimateTokens } from "./embedding-source.ts";
import type { EmbeddingSource, SourceAnswer, SourceRequest } from "./embedding-source.ts";
import { SourceAround } from "./source-around.ts";

export interface RateLimits {
  readonly requestsPerMinute?: number | undefined;
  readonly tokensPerMinute?: number | undefined;
}

interface Call {
  readonly atMs: number;
  tokens: number;
}

const WINDOW_MS = 60_000;

/**
 * Keeps the calls of any sixty seconds below what the endpoint allows, by waiting, first come first
 * served. A window that slides, not a bucket that refills: a full bucket and what flows in beside it
 * are up to twice the limit within one minute, and endpoints count minutes.
 */
export class RateLimitedSource extends SourceAround {
  readonly #clock: Clock;
  readonly #requestsMax: number;
  readonly #tokensMax: number;
  /** Of the last minute, oldest first. */
  #calls: Call[] = [];
  /** Ends when the last of those who came has been let through, or has given up. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(source: EmbeddingSource, rate: RateLimits, clock: Clock) {
    super(source);
    this.#clock = clock;
    this.#requestsMax = rate.requestsPerMinute ?? Number.POSITIVE_INFINITY;
    this.#tokensMax = rate.tokensPerMinute ?? Number.POSITIVE_INFINITY;
  }

  async embedBatch(texts: readonly string[], request: SourceRequest): Promise<SourceAnswer> {
    const mine = this.#turn.then(() => this.#admit(estimateTokens(texts), request.signal));
    this.#turn = mine.catch(() => {});
    const call = await mine;
    const answer = await this.source.embedBatch(texts, request);
    call.tokens = answer.tokens;
    return answer;
  }

  async #admit(tokens: number, signal: AbortSignal): Promise<Call> {
    for (;;) {
      signal.throwIfAborted();
      const nowMs = this.#clock.monotonicMs();
      this.#calls = this.#calls.filter(({ atMs }) => atMs + WINDOW_MS > nowMs);
      const [oldest] = this.#calls;
      // One that is too large for any minute has a minute for itself.
      if (oldest === undefined || this.#hasRoom(tokens)) {
        const call = { atMs: nowMs, tokens };
        this.#calls.push(call);
        return call;
      }
      await this.#clock.sleep(oldest.atMs + WINDOW_MS - nowMs, signal);
    }
  }

  #hasRoom(tokens: number): boolean {
    const used = this.#calls.reduce((sum, call) => sum + call.tokens, 0);
    return this.#calls.length < this.#requestsMax && used + tokens <= this.#tokensMax;
  }
}
