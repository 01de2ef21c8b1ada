import { DEFAULT_LIMITS } from "../model/limits.ts";
import type { MemoryConfig } from "./config.ts";

/** What `new UnifiedMemoryManager()` runs with when the environment says nothing. */
export const DEFAULT_CONFIG: MemoryConfig = {
  environment: "development",
  dataDir: ".cherry",
  tiers: {
    L0: { enabled: true, maxSizeMb: 64, maxItems: 4096 },
    L1: { enabled: true, maxSizeMb: 256, maxItems: 1_000_000, eviction: "lru" },
    L2: { enabled: false, prefix: "cherry", commandTimeoutMs: 250, bus: true },
    L3: { schema: "cherry", connectionBudget: 60, servers: 10 },
    L4: {
      enabled: true,
      prefix: "Cherry",
      queryTimeoutMs: 3000,
      replicationFactor: 1,
      activeTenantsMax: 1000,
    },
  },
  maxStalenessMs: 1000,
  limits: DEFAULT_LIMITS,
  embeddings: {
    provider: "lexical",
    timeoutMs: 30_000,
    rate: {},
    budget: {},
    cacheSeconds: 24 * 3600,
  },
  recall: { language: "en" },
  optimization: { enabled: true, sweepIntervalMs: 5000, sweepRows: 1000 },
  metrics: { enabled: true, prometheusEnabled: true },
  security: { encryptionKeys: [] },
};
