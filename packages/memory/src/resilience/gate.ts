import type { MemoryError } from "../model/errors.ts";
import type { Clock } from "../model/clock.ts";

export interface GateOptions {
  readonly clock: Clock;
  /** How many may be inside at once. */
  readonly permits: number;
  readonly waitersMax: number;
  readonly waitTimeoutMs: number;
  /** Error for one who was not let in. */
  readonly refuse: (why: string) => MemoryError;
}

interface Waiter {
  readonly deadlineMs: number;
  readonly enter: () => void;
  readonly fail: (error: MemoryError) => void;
}

/** How often waiters are looked at, as a share of how long they may wait. */
const LOOKS_PER_WAIT = 10;

/**
 * At most `permits` inside, first come first served; the queue and the wait are bounded. One loop
 * watches all waiters: a timer and an abort signal for each cost more than what most of them wait for.
 */
export class Gate {
  readonly #options: GateOptions;
  /** In the order of coming, so of their deadlines too. */
  readonly #waiters = new Set<Waiter>();
  #free: number;
  #watching = false;

  constructor(options: GateOptions) {
    this.#options = options;
    this.#free = options.permits;
  }

  /** True when entered; no promise is made on the common path. */
  tryEnter(): boolean {
    if (this.#free === 0) return false;
    this.#free--;
    return true;
  }

  async enter(): Promise<void> {
    if (this.tryEnter()) return;
    const { clock, refuse, waitersMax, waitTimeoutMs } = this.#options;
    if (this.#waiters.size >= waitersMax) throw refuse(`${waitersMax} calls are waiting already`);
    const deadlineMs = clock.monotonicMs() + waitTimeoutMs;
    const entered = new Promise<void>((enter, fail) => {
      this.#waiters.add({ deadlineMs, enter, fail });
    });
    if (!this.#watching) void this.#watch();
    await entered;
  }

  /** Hands the permit to the longest waiter. */
  leave(): void {
    for (const waiter of this.#waiters) {
      this.#waiters.delete(waiter);
      waiter.enter();
      return;
    }
    this.#free++;
  }

  /** Turns away all who wait. */
  rejectWaiters(error: MemoryError): void {
    for (const waiter of this.#waiters) waiter.fail(error);
    this.#waiters.clear();
  }

  async #watch(): Promise<void> {
    const { clock, refuse, waitTimeoutMs } = this.#options;
    this.#watching = true;
    while (this.#waiters.size > 0) {
      await clock.sleep(waitTimeoutMs / LOOKS_PER_WAIT);
      const nowMs = clock.monotonicMs();
      for (const waiter of this.#waiters) {
        if (waiter.deadlineMs > nowMs) break;
        this.#waiters.delete(waiter);
        waiter.fail(refuse(`none became free within ${waitTimeoutMs} ms`));
      }
    }
    this.#watching = false;
  }
}
