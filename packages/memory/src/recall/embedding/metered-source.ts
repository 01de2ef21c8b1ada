import type { EmbeddingMetrics } from "../../metrics/embedding-metrics.ts";
import type { Clock } from "../../model/clock.ts";
import { isMemoryError } from "../../model/errors.ts";
import type { EmbeddingSource, SourceAnswer, SourceRequest } from "./embedding-source.ts";
import { SourceAround } from "./source-around.ts";

export interface MeteredOptions {
  readonly clock: Clock;
  readonly metrics: EmbeddingMetrics;
  /** US dollars; undefined: cost is not reported. */
  readonly usdPerMillionTokens?: number | undefined;
}

const MILLION = 1_000_000;

/** Reports each call of a source: time, texts, tokens, cost, failures. Outermost, so that waits count. */
export class MeteredSource extends SourceAround {
  readonly #options: MeteredOptions;

  constructor(source: EmbeddingSource, options: MeteredOptions) {
    super(source);
    this.#options = options;
  }

  async embedBatch(texts: readonly string[], request: SourceRequest): Promise<SourceAnswer> {
    const { clock, metrics, usdPerMillionTokens = 0 } = this.#options;
    const startMs = clock.monotonicMs();
    try {
      const answer = await this.source.embedBatch(texts, request);
      metrics.embedded({
        model: this.model,
        kind: request.kind,
        latencyMs: clock.monotonicMs() - startMs,
        texts: texts.length,
        tokens: answer.tokens,
        usd: (answer.tokens * usdPerMillionTokens) / MILLION,
      });
      return answer;
    } catch (error) {
      metrics.embeddingFailed(this.model, isMemoryError(error) ? error.code : "ABORTED");
      throw error;
    }
  }
}
