import type { Contender } from "../harness/contender.ts";
import type { Turn } from "../core/workload.ts";

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
