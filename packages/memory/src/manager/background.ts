import { stat } from "node:fs/promises";
import { readKeyFile } from "../config/key-file.ts";
import type { Core } from "./core.ts";
import type { Forgetter } from "./forgetter.ts";

/** Copies freed in one go: bounded, so that no request waits behind it for long. */
const SWEEP_COPIES = 10_000;
const JOBS_AT_ONCE = 4;
/** Chunks of one job before the next has its turn. */
const CHUNKS_A_ROUND = 100;
const JITTER_SHARE = 0.2;
/** Share of the interval that one round may sweep. */
const BUSY_SHARE = 0.5;

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
    const { copies } = this.#core;
    const freed =
      (copies.objects?.sweep(SWEEP_COPIES) ?? 0) + (copies.bytes?.sweep(SWEEP_COPIES) ?? 0);
    // Keys that cannot be read now must not stop expiry: the old ones go on.
    await this.#rotateKeys().catch(this.#onError);
    const rows = await this.#sweepRows();
    await this.#advanceJobs();
    return { copies: freed, rows };
  }

  /** Sweeps again while a sweep found all it may take, so that it keeps up with what is written. */
  async #sweepRows(): Promise<number> {
    const { authority, clock, config } = this.#core;
    const { sweepRows, sweepIntervalMs } = config.optimization;
    const endMs = clock.monotonicMs() + sweepIntervalMs * BUSY_SHARE;
    let rows = 0;
    for (;;) {
      const swept = await authority.sweep(sweepRows);
      const counts = Object.values(swept);
      rows += counts.reduce((sum, count) => sum + count, 0);
      const isBehind = counts.some((count) => count >= sweepRows);
      if (!isBehind || this.#stop.signal.aborted || clock.monotonicMs() >= endMs) return rows;
    }
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

  /** A bounded stretch of each job in turn: a long one, or one that fails, holds up no other. */
  async #advanceJobs(): Promise<void> {
    const jobs = await this.#core.authority.unfinishedJobs(JOBS_AT_ONCE);
    for (let job of jobs) {
      try {
        for (let chunk = 0; chunk < CHUNKS_A_ROUND; chunk += 1) {
          if (job.state !== "running" || this.#stop.signal.aborted) break;
          job = await this.#forgetter.advance(job);
        }
      } catch (error) {
        this.#onError(error);
      }
    }
  }

  /** Keys read from their file when it changed; a file without any leaves the old ones in force. */
  async #rotateKeys(): Promise<void> {
    const path = this.#core.config.security.encryptionKeysFile;
    if (path === undefined) return;
    const { mtimeMs } = await stat(path);
    if (mtimeMs === this.#keysReadAtMs) return;
    this.#core.codec.useKeys(await readKeyFile(path));
    this.#keysReadAtMs = mtimeMs;
  }
}
