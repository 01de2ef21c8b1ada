import type { Contender } from "../harness/contender.ts";
import type { ReadTarget } from "../core/read-loops.ts";
import type { Turn } from "../core/workload.ts";

/** Readers are so far apart: no two read the same item at the same time. */
const STRIDE = 7;

export interface BatchTarget {
  readonly keys: readonly string[];
  readonly read: (keys: readonly string[]) => Promise<readonly (Turn | undefined)[]>;
  close(): Promise<void> | void;
}

/** One batch of so many keys after another, each starting at another key. */
export function batches(target: BatchTarget, size: number): Contender {
  const { keys } = target;
  const twice = [...keys, ...keys];
  let first = 0;
  const run = async (operations: number): Promise<number> => {
    let sum = 0;
    for (let operation = 0; operation < operations; operation += 1) {
      const turns = await target.read(twice.slice(first, first + size));
      for (const turn of turns) {
        if (turn === undefined) throw new Error("an item is missing");
        sum += turn.turn;
      }
      first = (first + 1) % keys.length;
    }
    return sum;
  };
  return { run, close: () => target.close() };
}

/**
 * So many readers, each reading one item after another. One operation is a read of each of them, so
 * that as many are done as are counted.
 */
export function readers(target: ReadTarget<Promise<Turn | undefined>>, count: number): Contender {
  const { keys, read } = target;
  let round = 0;
  const readSome = async (reader: number, operations: number): Promise<number> => {
    let sum = 0;
    for (let operation = 0; operation < operations; operation += 1) {
      const key = keys[(reader * STRIDE + round + operation) % keys.length] ?? "";
      const turn = await read(key);
      if (turn === undefined) throw new Error(`${key} is missing`);
      sum += turn.turn;
    }
    return sum;
  };
  const run = async (operations: number): Promise<number> => {
    const all = Array.from({ length: count }, (_, reader) => readSome(reader, operations));
    const sums = await Promise.all(all);
    round += operations;
    return sums.reduce((left, right) => left + right, 0);
  };
  return { run, close: () => target.close() };
}
