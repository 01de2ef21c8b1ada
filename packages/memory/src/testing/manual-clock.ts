import type { Clock } from "../model/clock.ts";

interface Sleeper {
  readonly wakeAtMs: number;
  readonly wake: () => void;
}

export interface ManualClockOptions {
  readonly monotonicMs?: number;
  readonly wallMs?: number;
}

/** An arbitrary instant, so that wall and monotonic time are never mistaken for each other unnoticed. */
const WALL_START_MS = 1_767_225_600_000;
const NS_PER_MS = 1_000_000;

/**
 * Time that moves only when it is told to. Wall and monotonic time move together, except where a
 * test skews them apart. Sleeps end in the order of their instants, each at exactly its instant.
 */
export class ManualClock implements Clock {
  #monotonicMs: number;
  #wallMs: number;
  #sleepers: Sleeper[] = [];

  constructor(options: ManualClockOptions = {}) {
    this.#monotonicMs = options.monotonicMs ?? 0;
    this.#wallMs = options.wallMs ?? WALL_START_MS;
  }

  monotonicMs(): number {
    return this.#monotonicMs;
  }

  monotonicNs(): bigint {
    return BigInt(Math.floor(this.#monotonicMs * NS_PER_MS));
  }

  wallMs(): number {
    return this.#wallMs;
  }

  sleep(delayMs: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted === true) {
        reject(signal.reason as Error);
        return;
      }
      const onAbort = (): void => {
        this.#sleepers = this.#sleepers.filter((other) => other !== sleeper);
        reject(signal?.reason as Error);
      };
      const sleeper: Sleeper = {
        wakeAtMs: this.#monotonicMs + Math.max(0, delayMs),
        wake: () => {
          signal?.removeEventListener("abort", onAbort);
          resolve();
        },
      };
      signal?.addEventListener("abort", onAbort, { once: true });
      this.#sleepers.push(sleeper);
    });
  }

  /** How many sleeps have not ended. */
  get sleeping(): number {
    return this.#sleepers.length;
  }

  /** Time passes while the process runs: each sleep ends at its instant, and what it led to runs. */
  async advance(byMs: number): Promise<void> {
    const untilMs = this.#monotonicMs + byMs;
    await settle();
    for (let next = this.#next(untilMs); next !== undefined; next = this.#next(untilMs)) {
      this.#move(next.wakeAtMs - this.#monotonicMs);
      this.#wake(next);
      await settle();
    }
    this.#move(untilMs - this.#monotonicMs);
    await settle();
  }

  /** The process stood still: time is later at once, and only then do the sleeps that are due end. */
  jump(byMs: number): void {
    this.#move(byMs);
    for (let next = this.#next(this.#monotonicMs); next !== undefined;) {
      this.#wake(next);
      next = this.#next(this.#monotonicMs);
    }
  }

  /** Somebody set the machine's clock: wall time leaps (backwards too), monotonic time does not. */
  skewWall(byMs: number): void {
    this.#wallMs += byMs;
  }

  #move(byMs: number): void {
    this.#monotonicMs += Math.max(0, byMs);
    this.#wallMs += Math.max(0, byMs);
  }

  /** The sleeper that is due first, the earliest asked among equals. */
  #next(untilMs: number): Sleeper | undefined {
    let first: Sleeper | undefined;
    for (const sleeper of this.#sleepers) {
      if (sleeper.wakeAtMs > untilMs) continue;
      if (first === undefined || sleeper.wakeAtMs < first.wakeAtMs) first = sleeper;
    }
    return first;
  }

  #wake(sleeper: Sleeper): void {
    this.#sleepers = this.#sleepers.filter((other) => other !== sleeper);
    sleeper.wake();
  }
}

/** Lets promise callbacks, and the I/O that they start in this process, run. */
function settle(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
