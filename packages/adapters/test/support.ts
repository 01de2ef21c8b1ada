import { UnifiedMemoryManager } from "@cherry-ai/memory";
import type { MemoryManager } from "@cherry-ai/memory";

function quiet(databaseUrl?: string): UnifiedMemoryManager {
  return new UnifiedMemoryManager({
    dataDir: ":memory:",
    maxStalenessMs: 100,
    optimization: { enabled: false },
    metrics: { enabled: false, prometheusEnabled: false },
    ...(databaseUrl === undefined ? {} : { tiers: { L3: { url: databaseUrl } } }),
  });
}

/** A ready memory that does no work but what a test asks for. */
export async function openMemory(databaseUrl?: string): Promise<MemoryManager> {
  const memory = quiet(databaseUrl);
  await memory.initialize();
  return memory;
}

/** One that answers every call with CLOSED. */
export async function closedMemory(): Promise<MemoryManager> {
  const memory = quiet();
  await memory.close();
  return memory;
}

export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const collected: T[] = [];
  for await (const item of items) collected.push(item);
  return collected;
}
