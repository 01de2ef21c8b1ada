import { performance } from "node:perf_hooks";

/** Time as an argument, so that tests are exact. */
export interface Clock {
  /** Milliseconds that never go backwards; comparable within one process only. */
  monotonicMs(): number;
  /** Milliseconds since the epoch. Never used to decide what is valid. */
  wallMs(): number;
  /** Resolves after `delayMs`; rejects with the signal's reason when aborted. */
  sleep(delayMs: number, signal?: AbortSignal): Promise<void>;
}

/** A number in [0, 1). */
export type Random = () => number;

export const systemClock: Clock = {
  // Imported: by the global object's accessor each reading takes a tenth longer.
  monotonicMs: () => performance.now(),
  wallMs: () => Date.now(),
  sleep: (delayMs, signal) =>
    new Promise((resolve, reject) => {
      if (signal?.aborted === true) {
        reject(signal.reason as Error);
        return;
      }
      const onAbort = (): void => {
        clearTimeout(timer);
        reject(signal?.reason as Error);
      };
      const timer = setTimeout(() => {
        signal?.removeEventListener("abort", onAbort);
        resolve();
      }, delayMs);
      signal?.addEventListener("abort", onAbort, { once: true });
    }),
};

export const systemRandom: Random = Math.random;
