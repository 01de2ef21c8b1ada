export { CherryServer } from "./server/server.ts";
export type { ServerParts } from "./server/server.ts";
export { DRAIN_BOUNDS, LOCAL_DRAIN_BOUNDS } from "./server/drain.ts";
export type { DrainBounds, DrainReport } from "./server/drain.ts";
export { createLogger } from "./server/logger.ts";
export { loadApiConfig } from "./config/load-api-config.ts";
export type { ApiConfig, AuthConfig, LogLevel, TokenRules } from "./config/api-config.ts";
export type { ServerBounds } from "./http/context.ts";
