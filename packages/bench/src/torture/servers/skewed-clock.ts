import { systemClock } from "@cherry-ai/memory";
import type { Clock } from "@cherry-ai/memory";

/** The machine's time, with a wall clock that is wrong by as much as one likes. */
export class SkewedClock implements Clock {
  offsetMs: number;

  constructor(offsetMs: number) {
    this.offsetMs = offsetMs;
  }

  monotonicMs(): number {
    return systemClock.monotonicMs();
  }

  monotonicNs(): bigint {
    return systemClock.monotonicNs();
  }

  wallMs(): number {
    return systemClock.wallMs() + this.offsetMs;
  }

  sleep(delayMs: number, signal?: AbortSignal): Promise<void> {
    return systemClock.sleep(delayMs, signal);
  }
}
