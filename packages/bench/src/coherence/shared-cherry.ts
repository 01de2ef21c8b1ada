/** Ours with no copies in the process: each read is answered by Redis, judged and decoded. */
import type { MemoryManager } from "@cherry-ai/memory";
import { setTimeout as sleep } from "node:timers/promises";
import { textOption } from "../harness/contender.ts";
import type { ContenderFactory, ContenderOptions, Contenders } from "../harness/contender.ts";
import { makeKeys, makeTurn } from "../core/workload.ts";
import type { Turn } from "../core/workload.ts";
import { openServer } from "./open.ts";
import { batches, readers } from "./shared-work.ts";

const ITEMS = 1000;
const FILL_TRIES_MAX = 100;
const FILL_PAUSE_MS = 50;

/** Reads until every item comes from Redis: what was written is in the log before it can be filled. */
async function fill(memory: MemoryManager, keys: readonly string[]): Promise<void> {
  await memory.batchOperations(
    keys.map((key, index) => ({ type: "set", key, value: makeTurn(index) })),
  );
  for (let attempt = 0; attempt < FILL_TRIES_MAX; attempt += 1) {
    const items = await Promise.all(keys.map((key) => memory.getItem<Turn>(key)));
    const strange = items.findIndex((item, index) => item?.value.turn !== index);
    if (strange >= 0) throw new Error(`${keys[strange]} is not what was written`);
    if (items.every((item) => item?.tier === "l2")) return;
    await sleep(FILL_PAUSE_MS);
  }
  throw new Error("some items do not come from Redis");
}

interface Opened {
  readonly memory: MemoryManager;
  readonly keys: readonly string[];
}

async function open(options: ContenderOptions): Promise<Opened> {
  const memory = await openServer({
    databaseUrl: textOption(options, "databaseUrl"),
    redisUrl: textOption(options, "redisUrl"),
    objects: false,
    bytes: false,
  });
  const keys = makeKeys(ITEMS);
  await fill(memory, keys);
  return { memory, keys };
}

const get: ContenderFactory = async (options) => {
  const { memory, keys } = await open(options);
  const read = (key: string): Promise<Turn | undefined> => memory.get<Turn>(key);
  return readers({ keys, read, close: () => memory.close() }, Number(options["inFlight"]));
};

const getMany: ContenderFactory = async (options) => {
  const { memory, keys } = await open(options);
  const read = (some: readonly string[]): Promise<(Turn | undefined)[]> =>
    memory.getMany<Turn>(some);
  return batches({ keys, read, close: () => memory.close() }, Number(options["batch"]));
};

export const contenders: Contenders = { get, "get many": getMany };
