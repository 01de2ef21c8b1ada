import { MemoryError } from "../model/errors.ts";
import type { Clock, Random } from "../model/clock.ts";

export type BreakerState = "closed" | "half-open" | "open";

export interface BreakerOptions {
  /** Named in the error message: `the database`. */
  readonly name: string;
  readonly clock: Clock;
  readonly random: Random;
  /** Consecutive failures that open it. */
  readonly failuresMax: number;
  /** First pause before a trial; doubled after each failed one, up to `openMaxMs`. */
  readonly openMs: number;
  readonly openMaxMs: number;
  /** Called at every change of state; must not throw. */
  readonly onState?: (state: BreakerState) => void;
}

/**
 * Fails calls at once while what they need is away, and lets one trial through now and then.
 *
 * Our own rather than a library's for two reasons: it counts on the monotonic clock (one that reads
 * the wall clock stays open for an hour when that clock is set back by one), and while half-open it
 * refuses the others instead of queueing them behind the trial, which the bound on failing fast needs.
 */
export class Breaker {
  readonly #options: BreakerOptions;
  #state: BreakerState = "closed";
  #failures = 0;
  #failedTrials = 0;
  #retryAtMs = 0;
  #lastCause: unknown;

  constructor(options: BreakerOptions) {
    this.#options = options;
  }

  get state(): BreakerState {
    return this.#state;
  }

  /** Throws STORE_UNAVAILABLE unless a call may be tried now. Half-open: the caller is the trial. */
  admit(): void {
    if (this.#state === "closed") return;
    if (this.#options.clock.monotonicMs() >= this.#retryAtMs) {
      // A trial whose outcome is never told must not shut the door for good: the next one may go
      // after another pause.
      this.#schedule();
      this.#become("half-open");
      return;
    }
    throw this.refusal();
  }

  /** The error that `admit` throws, for those who wait elsewhere when it opens. */
  refusal(): MemoryError {
    const { name } = this.#options;
    return new MemoryError(
      "STORE_UNAVAILABLE",
      `${name} did not answer lately, so this call was not sent; it is tried again by itself: retry in a moment`,
      { cause: this.#lastCause },
    );
  }

  success(): void {
    this.#failures = 0;
    if (this.#state === "closed") return;
    this.#failedTrials = 0;
    this.#become("closed");
  }

  failure(cause: unknown): void {
    this.#failures++;
    if (this.#state === "half-open" || this.#failures >= this.#options.failuresMax) {
      this.trip(cause);
    }
  }

  /** Opens at once: for a cause that is certain, such as a host that answers nothing at all. */
  trip(cause: unknown): void {
    this.#lastCause = cause;
    if (this.#state === "open") return;
    if (this.#state === "half-open") this.#failedTrials++;
    this.#schedule();
    this.#become("open");
  }

  #schedule(): void {
    const { clock, random, openMs, openMaxMs } = this.#options;
    const pauseMs = Math.min(openMaxMs, openMs * 2 ** this.#failedTrials);
    // Half of the pause is chance, so that many servers do not try in step.
    this.#retryAtMs = clock.monotonicMs() + pauseMs * (0.5 + random() / 2);
  }

  #become(state: BreakerState): void {
    if (this.#state === state) return;
    this.#state = state;
    this.#options.onState?.(state);
  }
}
