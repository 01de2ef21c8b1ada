/** Ours against a real PostgreSQL: durable writes and reads that no copy may answer. */
import type { BatchOperation, Memory } from "@cherry-ai/memory";
import { textOption } from "../harness/contender.ts";
import type { Contender, ContenderFactory, Contenders } from "../harness/contender.ts";
import { openMemory } from "./cherry.ts";
import { BATCH_ITEMS, batchOfTurns, readsInFlight } from "./database-work.ts";
import { makeKeys, makeTurn } from "./workload.ts";
import type { Turn } from "./workload.ts";

const NAMESPACE = "bench";
const LATEST = { consistency: "latest" } as const;

interface Opened {
  readonly memory: Memory;
  close(): Promise<void>;
}

async function open(options: Parameters<ContenderFactory>[0]): Promise<Opened> {
  const manager = await openMemory({
    databaseUrl: textOption(options, "databaseUrl"),
    hotObjects: true,
  });
  return { memory: manager.namespace(NAMESPACE), close: () => manager.close() };
}

/** One call for 1,000 items. Every one of them must have been written. */
async function setBatch(memory: Memory, batch: number): Promise<number> {
  const operations = batchOfTurns(batch).map((item): BatchOperation => ({ type: "set", ...item }));
  const results = await memory.batchOperations(operations);
  const failed = results.find(({ success }) => !success);
  if (failed !== undefined) throw new Error(`${failed.key}: ${failed.error?.message}`);
  return results.length;
}

/** A contender that does one thing after another. */
function oneByOne(opened: Opened, act: (turn: number) => Promise<number>): Contender {
  let turn = 0;
  const run = async (operations: number): Promise<number> => {
    let sum = 0;
    for (let operation = 0; operation < operations; operation += 1) {
      sum += await act(turn);
      turn += 1;
    }
    return sum;
  };
  return { run, close: () => opened.close() };
}

const batchSet: ContenderFactory = async (options) => {
  const opened = await open(options);
  return oneByOne(opened, (turn) => setBatch(opened.memory, turn));
};

const singleSet: ContenderFactory = async (options) => {
  const opened = await open(options);
  const items = batchOfTurns(0);
  return oneByOne(opened, async (turn) => {
    const item = items[turn % items.length];
    if (item === undefined) throw new Error("expected an item");
    const { key, value, metadata, tags } = item;
    const receipt = await opened.memory.set(key, value, { metadata, tags });
    return receipt.key.length;
  });
};

const batchGet: ContenderFactory = async (options) => {
  const opened = await open(options);
  await setBatch(opened.memory, 0);
  const keys = makeKeys(BATCH_ITEMS);
  return oneByOne(opened, async () => {
    const values = await opened.memory.getMany<Turn>(keys, LATEST);
    if (values.includes(undefined)) throw new Error("an item is missing");
    return values.length;
  });
};

const get: ContenderFactory = async (options) => {
  const opened = await open(options);
  await setBatch(opened.memory, 0);
  const keys = makeKeys(BATCH_ITEMS);
  const read = (key: string): Promise<Turn | undefined> => opened.memory.get<Turn>(key, LATEST);
  if (JSON.stringify(await read(keys[3] ?? "")) !== JSON.stringify(makeTurn(3)))
    throw new Error("we do not read back what we wrote");
  return readsInFlight({ keys, read, close: () => opened.close() }, Number(options["inFlight"]));
};

export const contenders: Contenders = {
  "batch set": batchSet,
  "single set": singleSet,
  "batch get": batchGet,
  get,
};
