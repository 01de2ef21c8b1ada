import { setImmediate as nextTurn, setTimeout as sleep } from "node:timers/promises";
import type { Contender, RoundPlan, Sample } from "./contender.ts";

/** Chunks that did not do what is measured (a copy had run out, say) are done again, so often a round. */
const DISCARDED_CHUNKS_MAX = 50;
const OPERATIONS_MAX = 1 << 24;

/** Runs a contender's operations in timed chunks. */
export class Measure {
  readonly #contender: Contender;
  readonly #plan: RoundPlan;
  #chunkOperations = 1;
  #sink = 0;

  constructor(contender: Contender, plan: RoundPlan) {
    this.#contender = contender;
    this.#plan = plan;
  }

  /** Finds how many operations make a chunk, and gives the compiler its time. */
  async warmUp(): Promise<void> {
    let spentMs = 0;
    while (spentMs < this.#plan.warmUpMs) {
      const elapsedMs = await this.#chunk();
      spentMs += elapsedMs;
      if (elapsedMs < this.#plan.chunkMs / 2 && this.#chunkOperations < OPERATIONS_MAX)
        this.#chunkOperations *= 2;
      else if (elapsedMs > this.#plan.chunkMs * 2 && this.#chunkOperations > 1)
        this.#chunkOperations = Math.ceil(this.#chunkOperations / 2);
    }
    this.#contender.figures?.();
  }

  async round(): Promise<Sample> {
    if (this.#plan.collect) collectGarbage();
    let operations = 0;
    let elapsedMs = 0;
    const cpuBefore = process.threadCpuUsage();
    while (elapsedMs < this.#plan.roundMs) {
      elapsedMs += await this.#chunk();
      operations += this.#chunkOperations;
    }
    // Of the whole round: the kernel counts in steps of milliseconds, too coarse for a chunk.
    const { user, system } = process.threadCpuUsage(cpuBefore);
    const cpuMs = (user + system) / 1000;
    return { operations, elapsedMs, cpuMs, figures: this.#contender.figures?.() ?? {} };
  }

  /** Time of one chunk that counts. */
  async #chunk(): Promise<number> {
    for (let attempt = 0; attempt < DISCARDED_CHUNKS_MAX; attempt += 1) {
      await nextTurn();
      const beganMs = performance.now();
      const outcome = this.#contender.run(this.#chunkOperations);
      const figure = typeof outcome === "number" ? outcome : await outcome;
      const elapsedMs = performance.now() - beganMs;
      if (!Number.isNaN(figure)) {
        this.#sink = (this.#sink + figure) % Number.MAX_SAFE_INTEGER;
        return elapsedMs;
      }
      await sleep(this.#plan.discardPauseMs);
    }
    throw new Error(`${DISCARDED_CHUNKS_MAX} chunks in a row did not do what is measured`);
  }
}

/** A full collection; needs --expose-gc, which the harness gives to every process. */
export function collectGarbage(): void {
  if (globalThis.gc === undefined) throw new Error("expected node --expose-gc; use pnpm bench");
  globalThis.gc();
}
