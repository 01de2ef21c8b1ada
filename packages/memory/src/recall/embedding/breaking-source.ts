import type { Clock, Random } from "../../model/clock.ts";
import { MemoryError, isMemoryError } from "../../model/errors.ts";
import { Breaker } from "../../resilience/breaker.ts";
import type { BreakerState } from "../../resilience/breaker.ts";
import type { EmbeddingSource, SourceAnswer, SourceRequest } from "./embedding-source.ts";
import { SourceAround } from "./source-around.ts";

export interface BreakingOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly onState?: (state: BreakerState) => void;
}

/** Calls that failed in a row, each after its own retries. */
const FAILURES_MAX = 3;
const OPEN_MS = 1_000;
const OPEN_MAX_MS = 60_000;
/** What says that the endpoint is not well; a refused text says nothing of it. */
const COUNTED: ReadonlySet<string> = new Set(["EMBEDDING_UNAVAILABLE", "EMBEDDING_INVALID"]);

/** Fails at once while the source does not answer, so that searches do not each wait for its timeout. */
export class BreakingSource extends SourceAround {
  readonly #breaker: Breaker;

  constructor(source: EmbeddingSource, options: BreakingOptions) {
    super(source);
    this.#breaker = new Breaker({
      ...options,
      name: `the embedding model ${source.model}`,
      failuresMax: FAILURES_MAX,
      openMs: OPEN_MS,
      openMaxMs: OPEN_MAX_MS,
    });
  }

  async embedBatch(texts: readonly string[], request: SourceRequest): Promise<SourceAnswer> {
    this.#admit();
    try {
      const answer = await this.source.embedBatch(texts, request);
      this.#breaker.success();
      return answer;
    } catch (error) {
      if (isMemoryError(error) && error.code === "EMBEDDING_REFUSED") this.#breaker.success();
      // Whoever gave up says nothing of the source, whatever its error is.
      else if (!request.signal.aborted && isMemoryError(error) && COUNTED.has(error.code))
        this.#breaker.failure(error);
      throw error;
    }
  }

  #admit(): void {
    try {
      this.#breaker.admit();
    } catch (error) {
      const { message, cause } = error as MemoryError;
      throw new MemoryError("EMBEDDING_UNAVAILABLE", message, { cause });
    }
  }
}
