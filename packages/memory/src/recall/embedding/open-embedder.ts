import type { EmbeddingMetrics } from "../../metrics/embedding-metrics.ts";
import type { Clock, Random } from "../../model/clock.ts";
import { MemoryError } from "../../model/errors.ts";
import type { BreakerState } from "../../resilience/breaker.ts";
import { createAnalyser } from "../text/analyser.ts";
import { BatchingEmbedder } from "./batching-embedder.ts";
import { BreakingSource } from "./breaking-source.ts";
import { BudgetedSource } from "./budget.ts";
import type { Embedder } from "./embedder.ts";
import type { EmbeddingSource } from "./embedding-source.ts";
import { LexicalSource } from "./lexical-source.ts";
import { LocalSource } from "./local/local-source.ts";
import { MeteredSource } from "./metered-source.ts";
import { OpenAiSource } from "./openai/openai-source.ts";
import { fixedSecret, secretInFile } from "./openai/secret.ts";
import { RateLimitedSource } from "./rate-limit.ts";
import { dimensionsOf, parseProvider } from "./settings.ts";
import type { EmbeddingsConfig } from "./settings.ts";

export interface EmbedderSurroundings {
  readonly clock: Clock;
  readonly random: Random;
  readonly metrics: EmbeddingMetrics;
  readonly onBreaker?: (state: BreakerState) => void;
}

/**
 * The configured embedder, ready for its first call. INVALID_CONFIG when a local model cannot be
 * run; an endpoint is not asked, because it may be away while we start.
 */
export async function openEmbedder(
  config: EmbeddingsConfig,
  around: EmbedderSurroundings,
): Promise<Embedder> {
  const source = await openSource(config, around);
  const { dimensions } = config;
  if (dimensions !== undefined && dimensions !== source.dimensions) {
    await source.close();
    throw new MemoryError(
      "INVALID_CONFIG",
      `CHERRY_EMBEDDINGS_DIMENSIONS is ${dimensions}, but the vectors of ${source.model} have ${source.dimensions} dimensions; correct it or leave it out`,
      { field: "embeddings.dimensions" },
    );
  }
  return embedderOver(source, config, around);
}

/**
 * An embedder over any source. From the outside in: metrics see what a caller waits for; the budget is
 * asked before the minute's share is used up; the breaker sees what the source does and not our own waits.
 */
function embedderOver(
  source: EmbeddingSource,
  { budget, rate }: Pick<EmbeddingsConfig, "budget" | "rate">,
  { clock, random, metrics, onBreaker }: EmbedderSurroundings,
): Embedder {
  const breaking = new BreakingSource(source, {
    clock,
    random,
    ...(onBreaker === undefined ? {} : { onState: onBreaker }),
  });
  const bounded = new BudgetedSource(new RateLimitedSource(breaking, rate, clock), budget, clock);
  const { usdPerMillionTokens } = budget;
  return new BatchingEmbedder(new MeteredSource(bounded, { clock, metrics, usdPerMillionTokens }));
}

async function openSource(
  config: EmbeddingsConfig,
  { clock, random }: EmbedderSurroundings,
): Promise<EmbeddingSource> {
  const provider = parseProvider(config.provider) ?? { kind: "lexical" };
  if (provider.kind === "lexical") return new LexicalSource({ analyser: createAnalyser() });
  if (provider.kind === "local") return LocalSource.open(provider.folder);
  const { model, apiKey, apiKeyFile, timeoutMs } = config;
  const dimensions = dimensionsOf(config);
  if (model === undefined || dimensions === undefined)
    throw new MemoryError(
      "INVALID_CONFIG",
      "embeddings: an endpoint needs CHERRY_EMBEDDINGS_MODEL, and CHERRY_EMBEDDINGS_DIMENSIONS where the model is not known",
      { field: "embeddings.model" },
    );
  return new OpenAiSource({
    url: provider.url,
    model,
    dimensions,
    apiKey: apiKeyFile === undefined ? fixedSecret(apiKey) : secretInFile(apiKeyFile),
    clock,
    random,
    timeoutMs,
  });
}
