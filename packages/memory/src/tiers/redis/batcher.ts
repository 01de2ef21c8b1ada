import { nextTick } from "node:process";
import { setImmediate } from "node:timers";

export interface BatcherOptions<T, R> {
  /** Items of one call. */
  readonly itemsMax: number;
  /** Answers in the order of the items. */
  readonly work: (items: readonly T[]) => Promise<readonly R[]>;
  /** Calls back when all that belongs together is here. */
  readonly gather: (flush: () => void) => void;
}

interface Waiting<T, R> {
  readonly item: T;
  readonly resolve: (answer: R | undefined) => void;
  readonly reject: (error: unknown) => void;
}

/** After all that is ready to run now: those who go on from one answer ask again together. */
export function gatherReady(flush: () => void): void {
  queueMicrotask(() => nextTick(flush));
}

/** After all that has come in over any connection: what several transactions have just committed. */
export function gatherArrived(flush: () => void): void {
  setImmediate(flush);
}

/**
 * Gathers single steps of one moment into one command: with a hundred readers a command for each
 * costs several times what the reads do.
 */
export class Batcher<T, R> {
  readonly #options: BatcherOptions<T, R>;
  #waiting: Waiting<T, R>[] = [];

  constructor(options: BatcherOptions<T, R>) {
    this.#options = options;
  }

  /** Undefined where the work gave no answer for it. */
  add(item: T): Promise<R | undefined> {
    return new Promise((resolve, reject) => {
      const count = this.#waiting.push({ item, resolve, reject });
      if (count >= this.#options.itemsMax) this.#flush();
      else if (count === 1) this.#options.gather(this.#flush);
    });
  }

  readonly #flush = (): void => {
    const waiting = this.#waiting;
    if (waiting.length === 0) return;
    this.#waiting = [];
    this.#options.work(waiting.map(({ item }) => item)).then(
      (answers) => {
        for (let index = 0; index < waiting.length; index += 1)
          waiting[index]?.resolve(answers[index]);
      },
      (error: unknown) => {
        for (const each of waiting) each.reject(error);
      },
    );
  };
}
