import type { Call } from "./call.ts";

/** The clock may be set while an answer lasts, and a timer holds no more than 24 days. */
const LOOK_INTERVAL_MS = 60_000;

/** Says when an answer that takes long has to stop: its reader has left, or its token has expired. */
export class AnswerEnd {
  readonly #call: Call;
  readonly #left = new AbortController();
  readonly #expired = new AbortController();
  /** Wakes whatever the answer waits for. */
  readonly signal: AbortSignal = AbortSignal.any([this.#left.signal, this.#expired.signal]);

  constructor(call: Call) {
    this.#call = call;
    call.res.once("close", () => this.#left.abort());
    if (call.expiresAtMs !== Infinity) void this.#waitForExpiry();
  }

  /** Asks the clock too: a timer may be late, as after the machine slept. */
  get isOver(): boolean {
    return this.signal.aborted || this.#leftMs() <= 0;
  }

  async #waitForExpiry(): Promise<void> {
    const { clock } = this.#call.context;
    try {
      for (let leftMs = this.#leftMs(); leftMs > 0; leftMs = this.#leftMs())
        await clock.sleep(Math.min(leftMs, LOOK_INTERVAL_MS), this.#left.signal);
      this.#expired.abort();
    } catch {
      // The answer was over first.
    }
  }

  #leftMs(): number {
    const { context, expiresAtMs } = this.#call;
    return expiresAtMs - context.clock.wallMs();
  }
}
