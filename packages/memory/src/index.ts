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
export { systemClock } from "./model/clock.ts";
export type { Clock } from "./model/clock.ts";
export { DEFAULT_LIMITS } from "./model/limits.ts";
export type { Limits } from "./model/limits.ts";
export type { MetadataFilter } from "./model/filter.ts";
export type * from "./manager/memory.ts";
export type { Change, Job, SearchPlan } from "./tiers/authority.ts";
export { loadConfig } from "./config/environment.ts";
export type { EnvironmentVariables } from "./config/environment.ts";
export type { MemoryConfig, Environment } from "./config/config.ts";
export type { TierCapabilities, TierHealth, TierStatus, TierUsage } from "./tiers/tier.ts";
