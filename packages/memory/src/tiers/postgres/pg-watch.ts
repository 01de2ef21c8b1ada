import type { Clock } from "../../model/clock.ts";

/** One exchange that waits for the server. */
export interface Watched {
  readonly startedMs: number;
  readonly deadlineMs: number;
  /** Breaks it off; its promise rejects with the reason. */
  abort(reason: Error): void;
  /** Asks the server to stop the work. Called when the deadline has passed, before `abort`. */
  cancel(): void;
}

export interface WatchOptions {
  readonly clock: Clock;
  readonly tickMs: number;
  /** An exchange older than this makes us ask whether the server is there at all. */
  readonly suspectMs: number;
  /** Pause between two such questions while it stays slow. */
  readonly probeEveryMs: number;
  /** False: the server does not answer at all. */
  readonly probe: () => Promise<boolean>;
  readonly onSilent: (reason: Error) => void;
}

/**
 * Bounds every exchange, and tells a slow statement from a server that is gone without a word (a
 * host that lost power, a network that drops packets): TCP alone notices that after minutes.
 *
 * One loop for all, awake only while something waits: a timer for each statement would cost more
 * than the rest of our work on it.
 */
export class PgWatch {
  readonly #options: WatchOptions;
  readonly #watched = new Set<Watched>();
  #running = false;
  #probing = false;
  #probedMs = -Infinity;
  #stop = new AbortController();

  constructor(options: WatchOptions) {
    this.#options = options;
  }

  add(exchange: Watched): void {
    this.#watched.add(exchange);
    if (!this.#running) void this.#run();
  }

  remove(exchange: Watched): void {
    this.#watched.delete(exchange);
  }

  /** Ends the loop; exchanges under way are no longer watched. */
  stop(): void {
    this.#watched.clear();
    this.#stop.abort();
  }

  async #run(): Promise<void> {
    const { clock, tickMs } = this.#options;
    this.#running = true;
    while (this.#watched.size > 0) {
      try {
        await clock.sleep(tickMs, this.#stop.signal);
      } catch {
        break;
      }
      this.#tick(clock.monotonicMs());
    }
    this.#running = false;
  }

  #tick(nowMs: number): void {
    const { suspectMs, probeEveryMs } = this.#options;
    let suspicious = false;
    for (const exchange of [...this.#watched]) {
      if (nowMs >= exchange.deadlineMs) this.#expire(exchange, nowMs);
      else if (nowMs - exchange.startedMs >= suspectMs) suspicious = true;
    }
    if (!suspicious || this.#probing || nowMs - this.#probedMs < probeEveryMs) return;
    this.#probedMs = nowMs;
    void this.#probe(nowMs);
  }

  #expire(exchange: Watched, nowMs: number): void {
    this.#watched.delete(exchange);
    exchange.cancel();
    const waitedMs = Math.round(nowMs - exchange.startedMs);
    exchange.abort(new Error(`no answer within ${waitedMs} ms`));
  }

  async #probe(askedMs: number): Promise<void> {
    this.#probing = true;
    const there = await this.#options.probe().catch(() => false);
    this.#probing = false;
    if (there || this.#stop.signal.aborted) return;
    const reason = new Error("the server stopped answering");
    this.#options.onSilent(reason);
    for (const exchange of [...this.#watched]) {
      if (exchange.startedMs > askedMs) continue;
      this.#watched.delete(exchange);
      exchange.abort(reason);
    }
  }
}
