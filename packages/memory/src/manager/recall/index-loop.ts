import { backoffMs } from "../../resilience/backoff.ts";
import type { IndexStep, KeywordIndex } from "../../tiers/keyword.ts";
import type { Core } from "../core.ts";

/** Changes of one step. Embedded storage does nothing else during one, so it is kept short there. */
const STEP_CHANGES = { exclusive: 100, shared: 500 };
/** Between two looks when there was nothing to do, or another server was at it. */
const IDLE_MS = 500;
const JITTER_SHARE = 0.2;
/**
 * Rest after a step, as many times as it took: search reads what is not indexed yet, so indexing gives
 * way to this server's writes until the log becomes long.
 */
const REST = { writing: 9, quiet: 1 };
const LONG_LAG_CHANGES = 100_000;
const RETRY = { firstMs: 200, maxMs: 30_000 };
/** Steps of one call to catch up. */
const CATCH_UP_STEPS_MAX = 10_000;

/** Brings the index of words up with the change log, in the background; whichever server does it. */
export class IndexLoop {
  readonly #core: Core;
  readonly #index: KeywordIndex;
  readonly #onError: (error: unknown) => void;
  readonly #stop = new AbortController();
  #loop: Promise<void> | undefined;
  #failures = 0;
  #writesSeen = 0;

  constructor(parts: {
    readonly core: Core;
    readonly index: KeywordIndex;
    readonly onError: (error: unknown) => void;
  }) {
    this.#core = parts.core;
    this.#index = parts.index;
    this.#onError = parts.onError;
  }

  start(): void {
    this.#loop ??= this.#run();
  }

  async stop(): Promise<void> {
    this.#stop.abort(new Error("stopped"));
    await this.#loop;
  }

  /** Steps until nothing is left to do here. */
  async catchUp(): Promise<void> {
    for (let steps = 0; steps < CATCH_UP_STEPS_MAX; steps += 1)
      if (this.#stop.signal.aborted || (await this.#step()).status !== "worked") return;
  }

  async #run(): Promise<void> {
    const { clock } = this.#core;
    while (!this.#stop.signal.aborted) {
      const startedMs = clock.monotonicMs();
      let restMs: number;
      try {
        const step = await this.#step();
        this.#failures = 0;
        restMs = this.#restMs(step, clock.monotonicMs() - startedMs);
      } catch (error) {
        this.#onError(error);
        this.#failures += 1;
        restMs = backoffMs(this.#failures, RETRY, this.#core.random);
      }
      await clock.sleep(restMs, this.#stop.signal).catch(() => {
        // Stopped.
      });
    }
  }

  async #step(): Promise<IndexStep> {
    const { authority, reader, metrics } = this.#core;
    const changes = authority.exclusive ? STEP_CHANGES.exclusive : STEP_CHANGES.shared;
    const step = await this.#index.advance(reader, { changes });
    metrics.indexed("words", {
      lagChanges: step.lag.changes,
      lagSeconds: step.lag.seconds,
      changes: step.changes,
      documents: step.documents,
    });
    return step;
  }

  #restMs({ status, lag }: IndexStep, tookMs: number): number {
    const { writes, random } = this.#core;
    const isWriting = writes.count !== this.#writesSeen;
    this.#writesSeen = writes.count;
    // Servers that were started together must not ask together for ever.
    if (status !== "worked") return IDLE_MS * (1 + JITTER_SHARE * random());
    if (lag.changes >= LONG_LAG_CHANGES) return 0;
    return tookMs * (isWriting ? REST.writing : REST.quiet);
  }
}
