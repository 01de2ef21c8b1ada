import { Counter, Histogram } from "prom-client";
import type { Registry } from "prom-client";

/** One answered call of what makes vectors. */
export interface EmbeddedCall {
  readonly model: string;
  readonly kind: "passage" | "query";
  readonly latencyMs: number;
  readonly texts: number;
  readonly tokens: number;
  /** US dollars; 0 where no price is configured. */
  readonly usd: number;
}

export interface EmbeddingMetrics {
  embedded(call: EmbeddedCall): void;
  embeddingFailed(model: string, code: string): void;
  /** Texts whose vector was at hand, and those for which it had to be made. */
  embeddingCache(model: string, hits: number, misses: number): void;
}

const MS_PER_SECOND = 1000;
/** From the lexical embedder to an endpoint that is tried again. */
const LATENCY_SECONDS = [0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/** Embeddings in a registry of Prometheus. */
export class PrometheusEmbeddingMetrics implements EmbeddingMetrics {
  readonly #seconds: Histogram<"model" | "kind">;
  readonly #texts: Counter<"model" | "kind">;
  readonly #tokens: Counter<"model" | "kind">;
  readonly #dollars: Counter<"model">;
  readonly #failures: Counter<"model" | "code">;
  readonly #cached: Counter<"model" | "outcome">;

  constructor(registry: Registry) {
    const registers = [registry];
    const counter = <L extends string>(name: string, help: string, labelNames: L[]): Counter<L> =>
      new Counter({ name, help, labelNames, registers });
    this.#seconds = new Histogram({
      name: "cherry_embedding_seconds",
      help: "Time of a call that made vectors, waits for rate limits and retries included",
      labelNames: ["model", "kind"],
      buckets: LATENCY_SECONDS,
      registers,
    });
    this.#texts = counter("cherry_embedding_texts_total", "Texts turned into vectors", [
      "model",
      "kind",
    ]);
    this.#tokens = counter(
      "cherry_embedding_tokens_total",
      "Tokens read by the model, as its endpoint counted or as we estimate",
      ["model", "kind"],
    );
    this.#dollars = counter(
      "cherry_embedding_cost_usd_total",
      "US dollars spent at the configured price",
      ["model"],
    );
    this.#failures = counter("cherry_embedding_failures_total", "Calls that made no vectors", [
      "model",
      "code",
    ]);
    this.#cached = counter(
      "cherry_embedding_cache_total",
      "Texts looked up in the cache of vectors: outcome is hit or miss",
      ["model", "outcome"],
    );
  }

  embedded({ model, kind, latencyMs, texts, tokens, usd }: EmbeddedCall): void {
    this.#seconds.observe({ model, kind }, latencyMs / MS_PER_SECOND);
    this.#texts.inc({ model, kind }, texts);
    this.#tokens.inc({ model, kind }, tokens);
    this.#dollars.inc({ model }, usd);
  }

  embeddingFailed(model: string, code: string): void {
    this.#failures.inc({ model, code });
  }

  embeddingCache(model: string, hits: number, misses: number): void {
    this.#cached.inc({ model, outcome: "hit" }, hits);
    this.#cached.inc({ model, outcome: "miss" }, misses);
  }
}
