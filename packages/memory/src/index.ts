export type * from "./model/item.ts";
export { MemoryTier, MEMORY_TIERS } from "./model/item.ts";
export {
  BatchAborted,
  ERROR_CODES,
  MemoryError,
  VersionConflict,
  isMemoryError,
  toMemoryError,
} from "./model/errors.ts";
export type { ErrorCode } from "./model/errors.ts";
export { checkKey, checkNamespace, isWithin } from "./model/key.ts";
export { DEFAULT_LIMITS } from "./model/limits.ts";
export type { Limits } from "./model/limits.ts";
export { systemClock } from "./model/clock.ts";
export type { Clock, Random } from "./model/clock.ts";
export type { MetadataFilter } from "./model/filter.ts";
export type * from "./manager/memory.ts";
export type {
  Feedback,
  RecallAnswer,
  RecallOptions,
  RecalledItem,
  RecalledMemory,
  RememberOptions,
  RememberReceipt,
  WorldTime,
} from "./manager/recall/memories.ts";
export { UnifiedMemoryManager } from "./manager/unified-memory-manager.ts";
export type { ManagerSeams } from "./manager/unified-memory-manager.ts";
export type { Change, Job, SearchPlan } from "./tiers/authority.ts";
export type { IndexLag } from "./tiers/keyword.ts";
export { DEFAULT_CONFIG } from "./config/defaults.ts";
export { loadConfig } from "./config/environment.ts";
export type { EnvironmentVariables } from "./config/environment.ts";
export { readConfigFile, resolveConfig } from "./config/resolve.ts";
export type { PartialConfig } from "./config/resolve.ts";
export type { MemoryConfig, Environment } from "./config/config.ts";
export type { Metrics, TierOperation } from "./metrics/metrics.ts";
export { PrometheusMetrics } from "./metrics/prometheus.ts";
export type { TierCapabilities, TierHealth, TierStatus, TierUsage } from "./tiers/tier.ts";
export type { EmbedKind, EmbedRequest, Embedder } from "./recall/embedding/embedder.ts";
export { precomputedEmbedder } from "./recall/embedding/precomputed-source.ts";
export type { PrecomputedOptions } from "./recall/embedding/precomputed-source.ts";
