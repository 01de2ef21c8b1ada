import type { Clock } from "../../src/model/clock.ts";
import type { Cancel, Scheduler } from "./scheduler.ts";

/** Midnight of some day; wall clocks are only ever shown. */
export const WALL_START_MS = 1_767_225_600_000;
const NS_PER_MS = 1_000_000;

/**
 * One server's process: what is delivered to it runs at once, waits while it is paused, and is lost
 * when it has died. After a pause what came in meanwhile runs before the timers that came due, as
 * in Node.
 */
export class SimulatedProcess implements Clock {
  readonly name: string;
  readonly #scheduler: Scheduler;
  /** Monotonic clocks of two processes have nothing to do with each other. */
  readonly #originMs: number;
  #wallSkewMs = 0;
  #isAlive = true;
  #isPaused = false;
  #delivered: (() => void)[] = [];
  #due: (() => void)[] = [];

  constructor(name: string, scheduler: Scheduler) {
    this.name = name;
    this.#scheduler = scheduler;
    this.#originMs = Math.floor(scheduler.random() * 1e6);
  }

  get isAlive(): boolean {
    return this.#isAlive;
  }

  get isPaused(): boolean {
    return this.#isPaused;
  }

  monotonicMs(): number {
    return this.#originMs + this.#scheduler.nowMs;
  }

  monotonicNs(): bigint {
    return BigInt(Math.floor(this.monotonicMs() * NS_PER_MS));
  }

  wallMs(): number {
    return WALL_START_MS + this.#scheduler.nowMs + this.#wallSkewMs;
  }

  sleep(delayMs: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted === true) {
        reject(signal.reason as Error);
        return;
      }
      signal?.addEventListener("abort", () => reject(signal.reason as Error), { once: true });
      this.timer(delayMs, resolve);
    });
  }

  /** Calls back after that time, later if it stands still then; never once it has died. */
  timer(delayMs: number, run: () => void): Cancel {
    return this.#scheduler.after(delayMs, () => {
      if (!this.#isAlive) return;
      if (this.#isPaused) this.#due.push(run);
      else run();
    });
  }

  /** Something comes in from outside, now. */
  deliver(run: () => void): void {
    if (!this.#isAlive) return;
    if (this.#isPaused) this.#delivered.push(run);
    else run();
  }

  pause(forMs: number): void {
    if (this.#isPaused || !this.#isAlive) return;
    this.#isPaused = true;
    this.#scheduler.trace(() => `${this.name} stands still for ${forMs.toFixed(0)} ms`);
    this.#scheduler.after(forMs, () => this.#resume());
  }

  die(): void {
    this.#isAlive = false;
    this.#delivered = [];
    this.#due = [];
  }

  skewWall(byMs: number): void {
    this.#wallSkewMs += byMs;
  }

  #resume(): void {
    if (!this.#isAlive) return;
    this.#scheduler.trace(() => `${this.name} goes on`);
    this.#isPaused = false;
    const waiting = [...this.#delivered, ...this.#due];
    this.#delivered = [];
    this.#due = [];
    // Each with its promise callbacks before the next, as the event loop does it.
    for (const run of waiting)
      this.#scheduler.after(0, () => {
        this.deliver(run);
      });
  }
}
