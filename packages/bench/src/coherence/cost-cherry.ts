/** One server of many, over PostgreSQL and Redis, with the protocol and without. */
import { MemoryTier } from "@cherry-ai/memory";
import type { MemoryManager } from "@cherry-ai/memory";
import { textOption } from "../harness/contender.ts";
import type {
  Contender,
  ContenderFactory,
  ContenderOptions,
  Contenders,
} from "../harness/contender.ts";
import { awaitedReads, synchronousReads } from "../core/read-loops.ts";
import { HOT_ITEMS, makeKeys, makeTurn } from "../core/workload.ts";
import type { Turn } from "../core/workload.ts";
import { openServer } from "./open.ts";
import { switchOff } from "./switched-off.ts";

const tierHint = MemoryTier.L0_CPU_CACHE;

async function open(options: ContenderOptions): Promise<MemoryManager> {
  if (options["off"] === true) switchOff();
  return openServer({
    databaseUrl: textOption(options, "databaseUrl"),
    redisUrl: textOption(options, "redisUrl"),
    objects: true,
    bytes: true,
  });
}

async function openFilled(options: ContenderOptions): Promise<{
  readonly memory: MemoryManager;
  readonly keys: readonly string[];
}> {
  const memory = await open(options);
  const keys = makeKeys(HOT_ITEMS);
  for (const [index, key] of keys.entries()) await memory.set(key, makeTurn(index), { tierHint });
  return { memory, keys };
}

const peek: ContenderFactory = async (options) => {
  const { memory, keys } = await openFilled(options);
  const read = (key: string): Turn | undefined => memory.peek<Turn>(key);
  return synchronousReads({ keys, read, close: () => memory.close() });
};

const get: ContenderFactory = async (options) => {
  const { memory, keys } = await openFilled(options);
  const read = (key: string): Promise<Turn | undefined> => memory.get<Turn>(key);
  return awaitedReads({ keys, read, close: () => memory.close() });
};

/** So many writers, each writing one item after another. One operation is a write of each of them. */
function writersOf(memory: MemoryManager, writers: number): Contender {
  const keys = makeKeys(HOT_ITEMS);
  let next = 0;
  const writeSome = async (count: number): Promise<number> => {
    let sum = 0;
    for (let write = 0; write < count; write += 1) {
      const turn = next;
      next += 1;
      const receipt = await memory.set(keys[turn % keys.length] ?? "", makeTurn(turn));
      sum += receipt.version.length;
    }
    return sum;
  };
  const run = async (operations: number): Promise<number> => {
    const all = Array.from({ length: writers }, () => writeSome(operations));
    const sums = await Promise.all(all);
    return sums.reduce((left, right) => left + right, 0);
  };
  return { run, close: () => memory.close() };
}

const set: ContenderFactory = async (options) =>
  writersOf(await open(options), Number(options["writers"]));

export const contenders: Contenders = { peek, get, set };
