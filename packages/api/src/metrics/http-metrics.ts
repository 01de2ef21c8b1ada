import { Gauge, Histogram, collectDefaultMetrics } from "prom-client";
import type { Registry } from "prom-client";
import type { Route } from "../http/route.ts";
import type { ServerState } from "../server/server-state.ts";

/** From a hit in memory (under a millisecond) to an export of minutes. */
const BUCKETS_SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.25, 1, 2.5, 10, 60];

/**
 * Observed together: one by one each costs a microsecond on the path of a read, because it looks
 * up its labels in maps that the caches have forgotten since the last.
 */
const PENDING_MAX = 256;

/** One series of the histogram with what was not yet entered. */
interface Timer {
  readonly observe: (seconds: number) => void;
  readonly pending: number[];
}

/** Figures about HTTP, in the registry that `/metrics` shows. */
export class HttpMetrics {
  readonly #durations: Histogram<"route" | "method" | "status">;
  /** Series by route and status class. */
  readonly #timers = new Map<Route, (Timer | undefined)[]>();

  constructor(registry: Registry, state: ServerState) {
    this.#durations = new Histogram({
      name: "cherry_http_request_duration_seconds",
      help: "Time from the request's headers to the end of its answer.",
      labelNames: ["route", "method", "status"],
      buckets: BUCKETS_SECONDS,
      registers: [registry],
      collect: () => this.#enterAll(),
    });
    new Gauge({
      name: "cherry_http_requests_in_flight",
      help: "Requests that are being worked on.",
      registers: [registry],
      collect() {
        this.set(state.inFlight);
      },
    });
    new Gauge({
      name: "cherry_http_change_streams",
      help: "Open streams of changes.",
      registers: [registry],
      collect() {
        this.set(state.streams);
      },
    });
  }

  observe(route: Route, status: number, durationMs: number): void {
    const statusClass = Math.trunc(status / 100);
    let timers = this.#timers.get(route);
    if (timers === undefined) {
      timers = [];
      this.#timers.set(route, timers);
    }
    const timer = (timers[statusClass] ??= this.#open(route, statusClass));
    timer.pending.push(durationMs / 1000);
    if (timer.pending.length >= PENDING_MAX) enter(timer);
  }

  #open(route: Route, statusClass: number): Timer {
    const series = this.#durations.labels(route.path, route.method, `${statusClass}xx`);
    return { observe: (seconds) => series.observe(seconds), pending: [] };
  }

  #enterAll(): void {
    for (const timers of this.#timers.values())
      for (const timer of timers) if (timer !== undefined) enter(timer);
  }
}

function enter(timer: Timer): void {
  for (const seconds of timer.pending) timer.observe(seconds);
  timer.pending.length = 0;
}

/** Memory, CPU, event loop and garbage collection of this process. */
export function addProcessMetrics(registry: Registry): void {
  collectDefaultMetrics({ register: registry });
}
