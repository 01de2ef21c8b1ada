import type { Contender } from "../harness/contender.ts";
import type { ReadTarget } from "./read-loops.ts";
import { makeKeys, makeTurn, randomOrder } from "./workload.ts";
import type { Turn } from "./workload.ts";

export const BATCH_ITEMS = 1000;
/** Batches are written over and over, so that most rows exist: upserts, not inserts. */
const DISTINCT_BATCHES = 8;
/** The share of one of ten servers in the default budget of 60. */
export const POOL_CONNECTIONS = 6;
const ORDER_LENGTH = 8192;

/** One item as a caller has it, before anything is encoded. */
export interface BatchItem {
  readonly key: string;
  readonly value: Turn;
  readonly metadata: { readonly speaker: string; readonly turn: number };
  readonly tags: readonly string[];
}

const keys = makeKeys(BATCH_ITEMS * DISTINCT_BATCHES);
const turns = keys.map((_, index) => makeTurn(index));

/** The 1,000 items of the `batch`-th write; values change from one pass to the next, metadata stays. */
export function batchOfTurns(batch: number): BatchItem[] {
  const first = (batch % DISTINCT_BATCHES) * BATCH_ITEMS;
  return keys.slice(first, first + BATCH_ITEMS).map((key, index) => {
    const value = turns[(first + index + Math.floor(batch / DISTINCT_BATCHES)) % turns.length];
    if (value === undefined) throw new Error("expected a turn for every key");
    const about = turns[first + index] ?? value;
    const metadata = { speaker: about.speaker, turn: about.turn };
    return { key, value, metadata, tags: [about.conversation] };
  });
}

/** Random reads, so many of them waiting at any time. */
export function readsInFlight(
  target: ReadTarget<Promise<Turn | undefined>>,
  inFlight: number,
): Contender {
  const order = randomOrder(target.keys.length, ORDER_LENGTH, 11);
  let cursor = 0;
  const readSome = async (count: number): Promise<number> => {
    let sum = 0;
    for (let read = 0; read < count; read += 1) {
      const key = target.keys[order[cursor] ?? 0] ?? "";
      cursor = (cursor + 1) % ORDER_LENGTH;
      const value = await target.read(key);
      if (value === undefined) throw new Error(`${key} is missing`);
      sum += value.turn;
    }
    return sum;
  };
  const run = async (operations: number): Promise<number> => {
    const each = Math.ceil(operations / inFlight);
    const sums = await Promise.all(Array.from({ length: inFlight }, () => readSome(each)));
    return sums.reduce((left, right) => left + right, 0);
  };
  return { run, close: () => target.close() };
}
