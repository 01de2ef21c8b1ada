import type { Contender } from "../harness/contender.ts";
import { randomOrder } from "./workload.ts";
import type { Turn } from "./workload.ts";

const ORDER_LENGTH = 65_536;
const ORDER_SEED = 7;

export type Read<T> = (key: string) => T;

/** How the reading of one cache is measured. */
export interface ReadTarget<T> {
  readonly keys: readonly string[];
  readonly read: Read<T>;
  close(): Promise<void> | void;
}

/**
 * Reads in random order, at once. A read that finds nothing makes the chunk not count: a copy whose
 * validity has run out is no hit.
 */
export function synchronousReads(target: ReadTarget<Turn | undefined>): Contender {
  const { keys, read } = target;
  const order = randomOrder(keys.length, ORDER_LENGTH, ORDER_SEED);
  let cursor = 0;
  const run = (operations: number): number => {
    let sum = 0;
    let next = cursor;
    for (let operation = 0; operation < operations; operation += 1) {
      const value = read(keys[order[next] as number] as string);
      if (value === undefined) return Number.NaN;
      sum += value.turn;
      next = (next + 1) & (ORDER_LENGTH - 1);
    }
    cursor = next;
    return sum;
  };
  return { run, close: () => target.close() };
}

/** The same, each read awaited before the next. */
export function awaitedReads(target: ReadTarget<Promise<Turn | undefined>>): Contender {
  const { keys, read } = target;
  const order = randomOrder(keys.length, ORDER_LENGTH, ORDER_SEED);
  let cursor = 0;
  const run = async (operations: number): Promise<number> => {
    let sum = 0;
    let next = cursor;
    for (let operation = 0; operation < operations; operation += 1) {
      const value = await read(keys[order[next] as number] as string);
      if (value === undefined) return Number.NaN;
      sum += value.turn;
      next = (next + 1) & (ORDER_LENGTH - 1);
    }
    cursor = next;
    return sum;
  };
  return { run, close: () => target.close() };
}
