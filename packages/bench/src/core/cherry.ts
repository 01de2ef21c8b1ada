/** Ours, as an application uses it: the manager with its configuration, nothing reached around. */
import { MemoryTier, PrometheusMetrics, UnifiedMemoryManager } from "@cherry-ai/memory";
import type { Memory, MemoryManager } from "@cherry-ai/memory";
import { textOption } from "../harness/contender.ts";
import type { ContenderFactory, Contenders } from "../harness/contender.ts";
import { awaitedReads, synchronousReads } from "./read-loops.ts";
import { HOT_ITEMS, makeKeys, makeTurn } from "./workload.ts";
import type { Turn } from "./workload.ts";

export interface OpenOptions {
  /** Empty: embedded in memory, which no other process can write. */
  readonly databaseUrl: string;
  /** Off: every hit is one of encoded bytes, which must be decoded. */
  readonly hotObjects: boolean;
}

/** Metrics on. */
export async function openMemory(options: OpenOptions): Promise<MemoryManager> {
  const memory = new UnifiedMemoryManager(
    {
      dataDir: ":memory:",
      tiers: {
        L0: { enabled: options.hotObjects },
        L3: options.databaseUrl === "" ? {} : { url: options.databaseUrl },
      },
    },
    { metrics: new PrometheusMetrics() },
  );
  await memory.initialize();
  return memory;
}

/** 1,000 items of 1 KB with copies in the tiers that the hint names, each read back once. */
async function fill(memory: Memory, tierHint: MemoryTier): Promise<readonly string[]> {
  const keys = makeKeys(HOT_ITEMS);
  for (const [index, key] of keys.entries()) await memory.set(key, makeTurn(index), { tierHint });
  for (const [index, key] of keys.entries()) {
    const item = await memory.getItem<Turn>(key);
    if (item?.value.turn !== index || item.tier !== tierHint)
      throw new Error(`${key}: expected turn ${index} in ${tierHint}, found it in ${item?.tier}`);
  }
  return keys;
}

const peek: ContenderFactory = async (options) => {
  const memory = await openMemory({
    databaseUrl: textOption(options, "databaseUrl"),
    hotObjects: true,
  });
  const keys = await fill(memory, MemoryTier.L0_CPU_CACHE);
  return synchronousReads({
    keys,
    read: (key) => memory.peek<Turn>(key),
    close: () => memory.close(),
  });
};

const get: ContenderFactory = async (options) => {
  const memory = await openMemory({
    databaseUrl: textOption(options, "databaseUrl"),
    hotObjects: true,
  });
  const keys = await fill(memory, MemoryTier.L0_CPU_CACHE);
  return awaitedReads({
    keys,
    read: (key) => memory.get<Turn>(key),
    close: () => memory.close(),
  });
};

const getEncoded: ContenderFactory = async (options) => {
  const memory = await openMemory({
    databaseUrl: textOption(options, "databaseUrl"),
    hotObjects: false,
  });
  const keys = await fill(memory, MemoryTier.L1_PROCESS_MEMORY);
  return awaitedReads({
    keys,
    read: (key) => memory.get<Turn>(key),
    close: () => memory.close(),
  });
};

export const contenders: Contenders = { peek, get, "get encoded": getEncoded };
