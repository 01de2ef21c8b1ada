import { PrometheusMetrics, UnifiedMemoryManager } from "@cherry-ai/memory";
import type { MemoryManager } from "@cherry-ai/memory";
import type { Servers } from "./needs.ts";

export interface OpenOptions extends Servers {
  readonly objects: boolean;
  readonly bytes: boolean;
}

/** One server of many, metrics on. */
export async function openServer(options: OpenOptions): Promise<MemoryManager> {
  const { databaseUrl, redisUrl, objects, bytes } = options;
  const memory = new UnifiedMemoryManager(
    {
      tiers: {
        L0: { enabled: objects },
        L1: { enabled: bytes },
        L2: redisUrl === "" ? { enabled: false } : { enabled: true, url: redisUrl },
        L3: { url: databaseUrl },
      },
    },
    { metrics: new PrometheusMetrics() },
  );
  await memory.initialize();
  return memory;
}
