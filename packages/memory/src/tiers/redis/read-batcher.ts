import { nextTick } from "node:process";

export type Values = readonly (Buffer | null)[];

interface Waiting {
  readonly name: string;
  readonly resolve: (value: Buffer | null) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Gathers the single reads of one moment into one command: with a hundred readers a command for each
 * costs several times what the reads do.
 */
export class ReadBatcher {
  readonly #readMany: (names: readonly string[]) => Promise<Values>;
  readonly #namesMax: number;
  #waiting: Waiting[] = [];

  constructor(namesMax: number, readMany: (names: readonly string[]) => Promise<Values>) {
    this.#namesMax = namesMax;
    this.#readMany = readMany;
  }

  read(name: string): Promise<Buffer | null> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ name, resolve, reject });
      if (this.#waiting.length >= this.#namesMax) this.#flush();
      // After all that is ready to run now: those who go on from one answer ask again together.
      else if (this.#waiting.length === 1) queueMicrotask(() => nextTick(this.#flush));
    });
  }

  readonly #flush = (): void => {
    const waiting = this.#waiting;
    if (waiting.length === 0) return;
    this.#waiting = [];
    this.#readMany(waiting.map(({ name }) => name)).then(
      (values) => {
        for (const [index, each] of waiting.entries()) each.resolve(values[index] ?? null);
      },
      (error: unknown) => {
        for (const each of waiting) each.reject(error);
      },
    );
  };
}
