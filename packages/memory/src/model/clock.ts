import { performance } from "node:perf_hooks";
import { hrtime } from "node:process";

/** Time as an argument, so that tests are exact. */
export interface Clock {
  /** Milliseconds that never go backwards; comparable within one process only. */
  monotonicMs(): number;
  /**
   * The same clock in nanoseconds, of an origin of its own. The cheapest reading, for what is compared
   * at every read.
   */
  monotonicNs(): bigint;
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
  // Compiled code compares it without making a BigInt of it: 28 ns, of which the kernel takes 24. By
  // performance.now, which checks its receiver and divides, it is 36.
  // Taken out of `hrtime` once: looked up at each reading, it is 46.
  monotonicNs: hrtime.bigint,
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
