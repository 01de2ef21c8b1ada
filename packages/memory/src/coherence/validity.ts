import type { Clock } from "../model/clock.ts";

const NS_PER_MS = 1_000_000;

/**
 * Until when copies may be served without asking the authority.
 *
 * A deadline on the monotonic clock, compared at every read: never a timer, because after a pause
 * callbacks run before timers and would serve what is long stale. It only moves to the time at
 * which the proof was *asked for* plus the bound, so a slow answer cannot stretch it.
 */
export class Validity {
  readonly boundMs: number;
  readonly #clock: Clock;
  #provenAtMs = Number.NEGATIVE_INFINITY;
  #deadlineMs = Number.NEGATIVE_INFINITY;
  /** The same instant by the cheapest clock, never a later one. */
  #deadlineNs = 0n;
  #isForever = false;

  constructor(clock: Clock, boundMs: number) {
    this.#clock = clock;
    this.boundMs = boundMs;
  }

  /** No other process can write, so every copy in this one is always current. */
  proveForever(): void {
    this.#provenAtMs = Number.POSITIVE_INFINITY;
    this.#deadlineMs = Number.POSITIVE_INFINITY;
    this.#isForever = true;
  }

  /** All changes committed before `sentAtMs` have been applied to the copies. */
  prove(sentAtMs: number): void {
    if (sentAtMs <= this.#provenAtMs) return;
    this.#provenAtMs = sentAtMs;
    this.#deadlineMs = sentAtMs + this.boundMs;
    // Nanoseconds first: a pause between the two readings makes the deadline earlier, never later.
    const nowNs = this.#clock.monotonicNs();
    this.#deadlineNs = nowNs + BigInt(Math.floor(this.remainingMs() * NS_PER_MS));
  }

  holds(): boolean {
    return this.#isForever || this.#clock.monotonicNs() < this.#deadlineNs;
  }

  /** The same under another bound, for one read. */
  holdsWithin(boundMs: number): boolean {
    return this.ageMs() < boundMs;
  }

  /** Age of the last proof, milliseconds; 0 when copies are always current. */
  ageMs(): number {
    if (this.#provenAtMs === Number.POSITIVE_INFINITY) return 0;
    return this.#clock.monotonicMs() - this.#provenAtMs;
  }

  /** Milliseconds left; Infinity when copies are always current. */
  remainingMs(): number {
    return this.#deadlineMs - this.#clock.monotonicMs();
  }
}
