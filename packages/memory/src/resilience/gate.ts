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
  readonly enter: () => void;
  readonly fail: (error: MemoryError) => void;
}

/** At most `permits` inside, first come first served; the queue and the wait are bounded. */
export class Gate {
  readonly #options: GateOptions;
  readonly #waiters = new Set<Waiter>();
  #free: number;

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
    const entered = new AbortController();
    await new Promise<void>((resolve, reject) => {
      const settle = (act: () => void): void => {
        this.#waiters.delete(waiter);
        entered.abort();
        act();
      };
      const waiter: Waiter = {
        enter: () => settle(resolve),
        fail: (error) => settle(() => reject(error)),
      };
      this.#waiters.add(waiter);
      clock.sleep(waitTimeoutMs, entered.signal).then(
        () => waiter.fail(refuse(`none became free within ${waitTimeoutMs} ms`)),
        () => {},
      );
    });
  }

  /** Hands the permit to the longest waiter. */
  leave(): void {
    for (const waiter of this.#waiters) {
      waiter.enter();
      return;
    }
    this.#free++;
  }

  /** Turns away all who wait. */
  rejectWaiters(error: MemoryError): void {
    for (const waiter of [...this.#waiters]) waiter.fail(error);
  }
}
