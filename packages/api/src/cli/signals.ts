import type { Clock } from "@cherry-ai/memory";

/** A package runner in our process group passes on the signal that we have got ourselves. */
const SAME_SIGNAL_MS = 1_000;
const INTERRUPTED = 130;

/** The first SIGTERM or SIGINT starts the drain; another one later ends the process at once. */
export class Signals {
  readonly first: Promise<NodeJS.Signals>;
  readonly #onSignal: (signal: NodeJS.Signals) => void;

  constructor(clock: Clock, exit: (code: number) => void = (code) => process.exit(code)) {
    let firstAtMs: number | undefined;
    const { promise, resolve } = Promise.withResolvers<NodeJS.Signals>();
    this.first = promise;
    this.#onSignal = (signal) => {
      const nowMs = clock.monotonicMs();
      if (firstAtMs === undefined) {
        firstAtMs = nowMs;
        resolve(signal);
      } else if (nowMs - firstAtMs >= SAME_SIGNAL_MS) exit(INTERRUPTED);
    };
    process.on("SIGTERM", this.#onSignal).on("SIGINT", this.#onSignal);
  }

  close(): void {
    process.off("SIGTERM", this.#onSignal).off("SIGINT", this.#onSignal);
  }
}
