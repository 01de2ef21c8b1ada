import { DEFAULT_CONFIG } from "./defaults.ts";
import { configProblems, refuseProblems } from "./schema.ts";
import type { ConfigProblem } from "./schema.ts";
import type { Environment, MemoryConfig } from "./config.ts";
import { readFileSync } from "node:fs";

export type EnvironmentVariables = { readonly [name: string]: string | undefined };

/** An empty variable counts as unset. */
function text(env: EnvironmentVariables, name: string): string | undefined {
  const value = env[name]?.trim();
  return value === undefined || value === "" ? undefined : value;
}

function numeric(
  env: EnvironmentVariables,
  name: string,
  problems: ConfigProblem[],
): number | undefined {
  const value = text(env, name);
  if (value === undefined) return undefined;
  const number = Number(value);
  if (Number.isFinite(number)) return number;
  problems.push({ field: name, expected: "a number", given: JSON.stringify(value) });
  return undefined;
}

/** Entries separated by commas or white space. */
export function splitList(text: string): string[] {
  return text.split(/[\s,]+/).filter((part) => part !== "");
}

function listOf(env: EnvironmentVariables, name: string, problems: ConfigProblem[]): string[] {
  const file = text(env, `${name}_FILE`);
  if (file === undefined) return splitList(text(env, name) ?? "");
  try {
    const entries = splitList(readFileSync(file, "utf8"));
    if (entries.length === 0)
      problems.push({ field: `${name}_FILE`, expected: "a file with keys in it", given: file });
    return entries;
  } catch {
    problems.push({ field: `${name}_FILE`, expected: "a readable file", given: file });
    return [];
  }
}

function redisConfig(env: EnvironmentVariables): MemoryConfig["tiers"]["L2"] {
  const base = DEFAULT_CONFIG.tiers.L2;
  const url = text(env, "REDIS_URL");
  const passwordFile = text(env, "REDIS_PASSWORD_FILE");
  return {
    ...base,
    enabled: url !== undefined,
    ...(url === undefined ? {} : { url }),
    ...(passwordFile === undefined ? {} : { passwordFile }),
    prefix: text(env, "CHERRY_REDIS_PREFIX") ?? base.prefix,
  };
}

/** A key in a file is read for every connection; here only that there is one. */
function weaviateConfig(
  env: EnvironmentVariables,
  problems: ConfigProblem[],
): MemoryConfig["tiers"]["L4"] {
  const base = DEFAULT_CONFIG.tiers.L4;
  const url = text(env, "WEAVIATE_URL");
  const grpcUrl = text(env, "WEAVIATE_GRPC_URL");
  const apiKey = text(env, "WEAVIATE_API_KEY");
  const apiKeyFile = text(env, "WEAVIATE_API_KEY_FILE");
  if (apiKeyFile !== undefined && !holdsText(apiKeyFile))
    problems.push({
      field: "WEAVIATE_API_KEY_FILE",
      expected: "a readable file with a key in it",
      given: apiKeyFile,
    });
  return {
    ...base,
    ...(url === undefined ? {} : { url }),
    ...(grpcUrl === undefined ? {} : { grpcUrl }),
    ...(apiKey === undefined ? {} : { apiKey }),
    ...(apiKeyFile === undefined ? {} : { apiKeyFile }),
    prefix: text(env, "CHERRY_WEAVIATE_PREFIX") ?? base.prefix,
  };
}

/** A key in a file is read for every request; here only that there is one. */
function embeddingsConfig(
  env: EnvironmentVariables,
  problems: ConfigProblem[],
): MemoryConfig["embeddings"] {
  const base = DEFAULT_CONFIG.embeddings;
  const model = text(env, "CHERRY_EMBEDDINGS_MODEL");
  const apiKey = text(env, "CHERRY_EMBEDDINGS_API_KEY");
  const apiKeyFile = text(env, "CHERRY_EMBEDDINGS_API_KEY_FILE");
  const dimensions = numeric(env, "CHERRY_EMBEDDINGS_DIMENSIONS", problems);
  if (apiKeyFile !== undefined && !holdsText(apiKeyFile))
    problems.push({
      field: "CHERRY_EMBEDDINGS_API_KEY_FILE",
      expected: "a readable file with a key in it",
      given: apiKeyFile,
    });
  return {
    ...base,
    provider: text(env, "CHERRY_EMBEDDINGS") ?? base.provider,
    ...(model === undefined ? {} : { model }),
    ...(dimensions === undefined ? {} : { dimensions }),
    ...(apiKey === undefined ? {} : { apiKey }),
    ...(apiKeyFile === undefined ? {} : { apiKeyFile }),
  };
}

function holdsText(file: string): boolean {
  try {
    return readFileSync(file, "utf8").trim() !== "";
  } catch {
    return false;
  }
}

/** The manager's configuration from environment variables; all problems in one INVALID_CONFIG. */
export function loadConfig(env: EnvironmentVariables): MemoryConfig {
  const problems: ConfigProblem[] = [];
  const base = DEFAULT_CONFIG;
  const databaseUrl = text(env, "DATABASE_URL");
  const passwordFile = text(env, "DATABASE_PASSWORD_FILE");
  const keysFile = text(env, "CHERRY_ENCRYPTION_KEYS_FILE");
  const valueBytes = numeric(env, "CHERRY_MAX_VALUE_BYTES", problems);
  const config: MemoryConfig = {
    ...base,
    environment: (text(env, "CHERRY_ENVIRONMENT") ?? base.environment) as Environment,
    dataDir: text(env, "CHERRY_DATA_DIR") ?? base.dataDir,
    tiers: {
      ...base.tiers,
      L1: {
        ...base.tiers.L1,
        maxSizeMb: numeric(env, "CHERRY_L1_MAX_MB", problems) ?? base.tiers.L1.maxSizeMb,
      },
      L2: redisConfig(env),
      L3: {
        ...base.tiers.L3,
        schema: text(env, "CHERRY_DB_SCHEMA") ?? base.tiers.L3.schema,
        ...(databaseUrl === undefined ? {} : { url: databaseUrl }),
        ...(passwordFile === undefined ? {} : { passwordFile }),
      },
      L4: weaviateConfig(env, problems),
    },
    maxStalenessMs: numeric(env, "CHERRY_MAX_STALENESS_MS", problems) ?? base.maxStalenessMs,
    limits: { ...base.limits, ...(valueBytes === undefined ? {} : { valueBytes }) },
    embeddings: embeddingsConfig(env, problems),
    security: {
      encryptionKeys: listOf(env, "CHERRY_ENCRYPTION_KEYS", problems),
      ...(keysFile === undefined ? {} : { encryptionKeysFile: keysFile }),
    },
  };
  refuseProblems([...problems, ...configProblems(config)]);
  return config;
}

/** The configuration of this process' environment. */
export function environmentConfig(): MemoryConfig {
  return loadConfig(process.env);
}
