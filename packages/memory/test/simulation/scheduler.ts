import type { Random } from "../../src/model/clock.ts";

interface Event {
  readonly atMs: number;
  /** Breaks ties, so that one seed gives one order. */
  readonly order: number;
  run: (() => void) | undefined;
}

/** Takes an event back that has not happened. */
export type Cancel = () => void;

/** What a whole run may take; more is a loop that never ends. */
const EVENTS_MAX = 200_000;

/**
 * Virtual time and everything that happens in it, one event after another. Between two events all
 * promise callbacks run, and nothing else does: no timer, no I/O, no chance but that of the seed.
 */
export class Scheduler {
  readonly random: Random;
  readonly #trace: ((line: string) => void) | undefined;
  readonly #heap: Event[] = [];
  #nowMs = 0;
  #order = 0;
  #events = 0;

  constructor(random: Random, trace?: (line: string) => void) {
    this.random = random;
    this.#trace = trace;
  }

  get nowMs(): number {
    return this.#nowMs;
  }

  get events(): number {
    return this.#events;
  }

  get isTraced(): boolean {
    return this.#trace !== undefined;
  }

  trace(line: () => string): void {
    this.#trace?.(`${this.#nowMs.toFixed(2).padStart(9)}  ${line()}`);
  }

  after(delayMs: number, run: () => void): Cancel {
    const event: Event = { atMs: this.#nowMs + Math.max(0, delayMs), order: this.#order, run };
    this.#order += 1;
    this.#push(event);
    return () => {
      event.run = undefined;
    };
  }

  /** Lets everything happen that is due until then. */
  async runUntil(endMs: number): Promise<void> {
    await allCallbacks();
    for (let next = this.#heap[0]; next !== undefined && next.atMs <= endMs; next = this.#heap[0]) {
      this.#pop();
      if (next.run === undefined) continue;
      this.#nowMs = Math.max(this.#nowMs, next.atMs);
      this.#events += 1;
      if (this.#events > EVENTS_MAX) throw new Error(`more than ${EVENTS_MAX} events`);
      next.run();
      await allCallbacks();
    }
    this.#nowMs = Math.max(this.#nowMs, endMs);
  }

  #push(event: Event): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(event);
    while (at > 0) {
      const up = (at - 1) >> 1;
      const parent = heap[up];
      if (parent === undefined || !isBefore(event, parent)) break;
      heap[at] = parent;
      at = up;
    }
    heap[at] = event;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let at = 0;
    for (;;) {
      const left = heap[2 * at + 1];
      const right = heap[2 * at + 2];
      const child = right !== undefined && left !== undefined && isBefore(right, left) ? 2 : 1;
      const least = child === 2 ? right : left;
      if (least === undefined || !isBefore(least, last)) break;
      heap[at] = least;
      at = 2 * at + child;
    }
    heap[at] = last;
  }
}

function isBefore(one: Event, other: Event): boolean {
  return one.atMs === other.atMs ? one.order < other.order : one.atMs < other.atMs;
}

/**
 * Resolves when no promise callback is left to run: Node looks at the next tick only then. It takes
 * 0.5 µs, where a turn of the event loop takes several.
 */
function allCallbacks(): Promise<void> {
  return new Promise((resolve) => {
    process.nextTick(resolve);
  });
}
