import { MemoryError } from "../../model/errors.ts";

/** One caller's texts: answered when all their vectors are there, or at the first failure. */
export class EmbedJob {
  readonly #vectors: (Float32Array | undefined)[];
  readonly #done = Promise.withResolvers<readonly Float32Array[]>();
  #left: number;
  #isOver = false;

  constructor(texts: number) {
    this.#vectors = new Array<Float32Array | undefined>(texts);
    this.#left = texts;
    // A caller that aborts does not look at the answer any more.
    this.#done.promise.catch(() => {});
    if (texts === 0) this.#end();
  }

  /** Answered, failed or aborted: no use to work on it. */
  get isOver(): boolean {
    return this.#isOver;
  }

  put(index: number, vector: Float32Array | undefined): void {
    if (this.#isOver) return;
    if (vector === undefined) {
      this.fail(new MemoryError("EMBEDDING_INVALID", "fewer vectors than texts came back"));
      return;
    }
    this.#vectors[index] = vector;
    this.#left -= 1;
    if (this.#left === 0) this.#end();
  }

  fail(error: unknown): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#done.reject(error as Error);
  }

  /** `onAbort` is called when the signal ends the wait. */
  async answer(
    signal: AbortSignal | undefined,
    onAbort: () => void,
  ): Promise<readonly Float32Array[]> {
    const abort = (): void => {
      this.fail(signal?.reason);
      onAbort();
    };
    signal?.addEventListener("abort", abort, { once: true });
    try {
      return await this.#done.promise;
    } finally {
      signal?.removeEventListener("abort", abort);
    }
  }

  #end(): void {
    this.#isOver = true;
    this.#done.resolve(this.#vectors.filter((vector) => vector !== undefined));
  }
}
