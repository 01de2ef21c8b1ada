/**
 * A full L1 through the manager's own write and read path. The authority behind it acknowledges and
 * forgets, so that the process holds nothing but the manager and its copies: a million items would
 * otherwise be measured with a database's memory around them.
 */
import { PrometheusMetrics, UnifiedMemoryManager } from "@cherry-ai/memory";
import type { BatchOperation, MemoryManager } from "@cherry-ai/memory";
import { createTiers } from "../../../memory/src/tiers/factory.ts";
import type { Contender, ContenderFactory, Contenders } from "../harness/contender.ts";
import { collectGarbage } from "../harness/measure.ts";
import { percentile } from "../harness/statistics.ts";
import { AcknowledgingAuthority } from "./acknowledging-authority.ts";
import { makeTurn, seededRandom } from "./workload.ts";

const BATCH_ITEMS = 1000;
/** Larger than what a million items of 1 KB take, so that the bound on items is what evicts. */
const L1_MAX_MB = 4096;
/** One write that evicts for so many reads. */
const READS_PER_WRITE = 10;
const READ_TAIL = 0.999;
const DISTINCT_VALUES = 4096;
/** Reads go to the newer half: an exact LRU keeps all of it while new items push out the rest. */
const READ_WINDOW = 0.5;
/** More than a round reads. */
const LATENCIES_MAX = 4_000_000;

/** Grows only: the keys of the churn follow those of the fill. */
function keyOf(index: number): string {
  return `user:${index % 97}:turn:${index}`;
}

interface Loaded {
  readonly memory: MemoryManager;
  readonly authority: AcknowledgingAuthority;
  readonly baselineBytes: number;
}

async function load(items: number): Promise<Loaded> {
  const authority = new AcknowledgingAuthority();
  const memory = new UnifiedMemoryManager(
    {
      tiers: {
        L0: { enabled: false },
        L1: { maxSizeMb: L1_MAX_MB, maxItems: items },
        // Never opened; named so that no embedded database is loaded.
        L3: { url: "postgres://nobody@127.0.0.1:1/none" },
      },
    },
    {
      metrics: new PrometheusMetrics(),
      tiers: async (config, around) => ({ ...(await createTiers(config, around)), authority }),
    },
  );
  await memory.initialize();
  // One batch first, so that what the code itself takes is in the baseline.
  await write(memory, -BATCH_ITEMS);
  const baselineBytes = residentBytes();
  authority.payloadBytes = 0;
  for (let first = 0; first < items; first += BATCH_ITEMS) await write(memory, first);
  return { memory, authority, baselineBytes };
}

async function write(memory: MemoryManager, first: number): Promise<void> {
  const operations = Array.from({ length: BATCH_ITEMS }, (_, offset): BatchOperation => {
    const index = first + offset;
    return { type: "set", key: keyOf(index), value: valueOf(index) };
  });
  const results = await memory.batchOperations(operations);
  if (results.some(({ success }) => !success)) throw new Error("a write failed");
}

const values = Array.from({ length: DISTINCT_VALUES }, (_, index) => makeTurn(index));

function valueOf(index: number): unknown {
  return values[Math.abs(index) % DISTINCT_VALUES];
}

function residentBytes(): number {
  collectGarbage();
  collectGarbage();
  return process.memoryUsage.rss();
}

/** Resident memory with all items in, and what the items' keys and encoded values amount to. */
const memoryUse: ContenderFactory = async (options): Promise<Contender> => {
  const { memory, authority, baselineBytes } = await load(Number(options["items"]));
  return {
    run: (operations) => operations,
    figures: () => ({
      residentBytes: residentBytes() - baselineBytes,
      payloadBytes: authority.payloadBytes,
      items: memory.describeTiers().find(({ tier }) => tier === "l1")?.usage?.items ?? 0,
    }),
    close: () => memory.close(),
  };
};

/** Awaited reads of random resident items, each timed, while new items push old ones out. */
const readTail: ContenderFactory = async (options): Promise<Contender> => {
  const items = Number(options["items"]);
  const { memory } = await load(items);
  const random = seededRandom(items);
  let newest = items;
  const latenciesMs = new Float64Array(LATENCIES_MAX);
  let reads = 0;
  let misses = 0;
  const run = async (operations: number): Promise<number> => {
    for (let operation = 0; operation < operations; operation += 1) {
      if (operation % READS_PER_WRITE === 0) {
        await memory.set(keyOf(newest), valueOf(newest));
        newest += 1;
      }
      const key = keyOf(newest - 1 - Math.floor(random() * items * READ_WINDOW));
      const beganMs = performance.now();
      const value = await memory.get(key);
      if (reads < LATENCIES_MAX) latenciesMs[reads] = performance.now() - beganMs;
      reads += 1;
      if (value === undefined) misses += 1;
    }
    return newest;
  };
  const figures = (): { readonly tailUs: number; readonly missRatio: number } => {
    const kept = latenciesMs.subarray(0, Math.min(reads, LATENCIES_MAX));
    const missRatio = misses / Math.max(1, reads);
    const tailUs = percentile(kept, READ_TAIL) * 1000;
    reads = 0;
    misses = 0;
    return { tailUs, missRatio };
  };
  return { run, figures, close: () => memory.close() };
};

export const contenders: Contenders = { "memory use": memoryUse, "read tail": readTail };
