import { readFile, stat } from "node:fs/promises";
import { splitList } from "../config/environment.ts";
import type { Core } from "./core.ts";
import type { Forgetter } from "./forgetter.ts";

/** Copies freed in one go: bounded, so that no request waits behind it for long. */
const SWEEP_COPIES = 10_000;
const JOBS_AT_ONCE = 4;
const JITTER_SHARE = 0.2;

export interface SweepCounts {
  readonly copies: number;
  readonly rows: number;
}

/**
 * What goes on without being asked: freeing expired copies, expiring and purging rows, going on
 * with forget jobs of any server, reading rotated keys. A round that fails is told and tried again.
 */
export class Background {
  readonly #core: Core;
  readonly #forgetter: Forgetter;
  readonly #onError: (error: unknown) => void;
  readonly #stop = new AbortController();
  #loop: Promise<void> | undefined;
  #keysReadAtMs = 0;

  constructor(parts: {
    readonly core: Core;
    readonly forgetter: Forgetter;
    readonly onError: (error: unknown) => void;
  }) {
    this.#core = parts.core;
    this.#forgetter = parts.forgetter;
    this.#onError = parts.onError;
  }

  start(): void {
    this.#loop ??= this.#run();
  }

  async stop(): Promise<void> {
    this.#stop.abort(new Error("stopped"));
    await this.#loop;
  }

  /** One bounded round. */
  async round(): Promise<SweepCounts> {
    const { copies, authority, config } = this.#core;
    const freed =
      (copies.objects?.sweep(SWEEP_COPIES) ?? 0) + (copies.bytes?.sweep(SWEEP_COPIES) ?? 0);
    // Keys that cannot be read now must not stop expiry: the old ones go on.
    await this.#rotateKeys().catch(this.#onError);
    const swept = await authority.sweep(config.optimization.sweepRows);
    await this.#advanceJobs();
    return {
      copies: freed,
      rows:
        swept.expired + swept.purgedTombstones + swept.trimmedChanges + swept.trimmedIdempotency,
    };
  }

  async #run(): Promise<void> {
    const { clock, random, config } = this.#core;
    const { sweepIntervalMs } = config.optimization;
    while (!this.#stop.signal.aborted) {
      try {
        // Servers that were started together must not sweep together for ever.
        const waitMs = sweepIntervalMs * (1 + JITTER_SHARE * random());
        await clock.sleep(waitMs, this.#stop.signal);
        await this.round();
      } catch (error) {
        if (this.#stop.signal.aborted) return;
        this.#onError(error);
      }
    }
  }

  async #advanceJobs(): Promise<void> {
    const jobs = await this.#core.authority.unfinishedJobs(JOBS_AT_ONCE);
    for (let job of jobs)
      while (job.state === "running" && !this.#stop.signal.aborted)
        job = await this.#forgetter.advance(job);
  }

  async #rotateKeys(): Promise<void> {
    const path = this.#core.config.security.encryptionKeysFile;
    if (path === undefined) return;
    const { mtimeMs } = await stat(path);
    if (mtimeMs === this.#keysReadAtMs) return;
    this.#core.codec.useKeys(splitList(await readFile(path, "utf8")));
    this.#keysReadAtMs = mtimeMs;
  }
}
