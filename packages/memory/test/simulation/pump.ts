import { systemClock } from "../../src/model/clock.ts";
import { seededRandom } from "../../src/testing/seeded-random.ts";
import { Scheduler } from "./scheduler.ts";

/** Runs the events of a simulation for callers that only await. */
export class Pump {
  readonly scheduler: Scheduler = new Scheduler(seededRandom(1));
  #untilMs = 0;
  #isStopped = false;
  #followsFromMs: number | undefined;
  readonly #ended: Promise<void>;

  constructor() {
    this.#ended = this.#run();
  }

  async pass(durationMs: number): Promise<void> {
    this.#untilMs += durationMs;
    while (this.scheduler.nowMs < this.#untilMs) await turn();
  }

  /** Virtual time goes on with the real one, for callers who wait by that. */
  followRealTime(): void {
    this.#followsFromMs = systemClock.monotonicMs();
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#ended;
  }

  async #run(): Promise<void> {
    while (!this.#isStopped) {
      if (this.#followsFromMs !== undefined)
        this.#untilMs = systemClock.monotonicMs() - this.#followsFromMs;
      await this.scheduler.runUntil(this.#untilMs);
      await turn();
    }
  }
}

function turn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
