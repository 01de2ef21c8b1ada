import type { Clock } from "../../model/clock.ts";
import { MemoryError } from "../../model/errors.ts";
import { estimateTokens } from "./embedding-source.ts";
import type { EmbeddingSource, SourceAnswer, SourceRequest } from "./embedding-source.ts";
import { SourceAround } from "./source-around.ts";

export interface Budget {
  readonly tokensPerDay?: number | undefined;
  readonly usdPerDay?: number | undefined;
  /** Price, needed for `usdPerDay`. US dollars. */
  readonly usdPerMillionTokens?: number | undefined;
}

const DAY_MS = 86_400_000;
const MILLION = 1_000_000;

/**
 * Refuses what would go beyond the day's budget, until midnight UTC. What is in flight counts as
 * estimated, so that calls at once cannot overdraw it together; the endpoint's count replaces that.
 * Each server has a budget of its own, and a restart begins a new one: it guards against a runaway,
 * the endpoint's own limit is the account's.
 */
export class BudgetedSource extends SourceAround {
  readonly #clock: Clock;
  readonly #tokensMax: number;
  #day = 0;
  #tokens = 0;

  constructor(source: EmbeddingSource, budget: Budget, clock: Clock) {
    super(source);
    this.#clock = clock;
    this.#tokensMax = tokensPerDay(budget);
  }

  async embedBatch(texts: readonly string[], request: SourceRequest): Promise<SourceAnswer> {
    const reserved = estimateTokens(texts);
    this.#reserve(reserved);
    const day = this.#day;
    let used = 0;
    try {
      const answer = await this.source.embedBatch(texts, request);
      used = answer.tokens;
      return answer;
    } catch (error) {
      // Nonsense was made, and is paid for, like any answer.
      if (error instanceof MemoryError && error.code === "EMBEDDING_INVALID") used = reserved;
      throw error;
    } finally {
      if (day === this.#day) this.#tokens += used - reserved;
    }
  }

  #reserve(tokens: number): void {
    const wallMs = this.#clock.wallMs();
    const today = Math.floor(wallMs / DAY_MS);
    // Forward only: a clock that is set back must not give the day's budget a second time.
    if (today > this.#day) {
      this.#day = today;
      this.#tokens = 0;
    }
    // What alone is over the budget is let through once a day, or it would wait for ever.
    if (this.#tokens > 0 && this.#tokens + tokens > this.#tokensMax) {
      const midnight = new Date((this.#day + 1) * DAY_MS).toISOString();
      throw new MemoryError(
        "EMBEDDING_BUDGET_SPENT",
        `embedding: ${this.#tokens} of the day's ${Math.floor(this.#tokensMax)} tokens are spent and this call needs about ${tokens}; try again after ${midnight}, or raise embeddings.budget`,
      );
    }
    this.#tokens += tokens;
  }
}

function tokensPerDay({ tokensPerDay: tokens, usdPerDay, usdPerMillionTokens }: Budget): number {
  const affordable =
    usdPerDay === undefined || usdPerMillionTokens === undefined
      ? Number.POSITIVE_INFINITY
      : (usdPerDay / usdPerMillionTokens) * MILLION;
  return Math.min(tokens ?? Number.POSITIVE_INFINITY, affordable);
}
