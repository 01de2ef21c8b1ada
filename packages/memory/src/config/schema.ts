import { z } from "zod";
import { MemoryError } from "../model/errors.ts";
import { describe } from "../model/text.ts";
import { DEFAULT_CONFIG } from "./defaults.ts";
import { embeddingsSchema } from "./embeddings-schema.ts";
import type { MemoryConfig } from "./config.ts";
import { LANGUAGES } from "../recall/text/languages.ts";

const positive = z.number().positive().finite();
const wholePositive = z.number().int().positive();
const KEY_BYTES = 32;

/** Beyond these the parts below give up: index rows, intervals, recursion, one message's size. */
const LIMIT_BOUNDS: { readonly [name: string]: z.ZodType } = {
  keyBytes: wholePositive.max(1536),
  namespaceBytes: wholePositive.max(1024),
  valueBytes: wholePositive.max(64 * 1024 * 1024),
  metadataBytes: wholePositive.max(1024 * 1024),
  jsonDepth: wholePositive.max(1000),
  filterDepth: wholePositive.max(100),
  batchBytes: wholePositive.max(256 * 1024 * 1024),
  ttlSeconds: positive.max(1e9),
};

/** Less holds nothing worth a tier. */
const megabytes = z
  .number()
  .min(0.1)
  .max(1024 * 1024);

const localTier = z.strictObject({
  enabled: z.boolean(),
  maxSizeMb: megabytes,
  maxItems: wholePositive.max(1e9),
  eviction: z.enum(["lru", "lfu"]).optional(),
});

const httpServers = z
  .string()
  .regex(
    /^https?:\/\/[^\s,]+([\s,]+https?:\/\/[^\s,]+)*$/,
    "expected http://host:port or https://host:port, several separated by commas",
  );

const vectorTier = z.strictObject({
  enabled: z.boolean(),
  url: httpServers.optional(),
  grpcUrl: httpServers.optional(),
  apiKey: z.string().min(1).optional(),
  apiKeyFile: z.string().min(1).optional(),
  prefix: z
    .string()
    .regex(/^[A-Z][A-Za-z0-9_]{0,31}$/, "expected A-Z, then up to 31 of A-Z, a-z, 0-9 and _"),
  queryTimeoutMs: z.number().min(50).max(60_000),
  replicationFactor: wholePositive.max(100),
  activeTenantsMax: wholePositive.max(1e6),
});

const encryptionKey = z.string().refine(
  (text) => {
    const separator = text.indexOf(":");
    const id = text.slice(0, separator);
    const key = text.slice(separator + 1);
    return separator > 0 && id.length <= 64 && Buffer.from(key, "base64").length === KEY_BYTES;
  },
  { error: `expected id:base64 of ${KEY_BYTES} bytes` },
);

const configSchema = z.strictObject({
  environment: z.enum(["development", "staging", "production"]),
  dataDir: z.string().min(1),
  tiers: z.strictObject({
    L0: localTier,
    L1: localTier,
    L2: z.strictObject({
      enabled: z.boolean(),
      url: z
        .string()
        .regex(
          /^rediss?(-cluster|-sentinel)?:\/\/./,
          "expected redis://host:port, redis-cluster:// or redis-sentinel://, or rediss… for TLS",
        )
        .optional(),
      passwordFile: z.string().min(1).optional(),
      prefix: z
        .string()
        .regex(/^[A-Za-z0-9._-]{1,64}$/, "expected 1 to 64 of A-Z, a-z, 0-9, dot, _ and -"),
      commandTimeoutMs: z.number().min(10).max(60_000),
      bus: z.boolean(),
    }),
    L3: z.strictObject({
      url: z
        .string()
        .regex(/^postgres(ql)?:\/\//, "expected postgres://user@host:port/database")
        .optional(),
      passwordFile: z.string().min(1).optional(),
      schema: z.string().regex(/^[a-z_][a-z0-9_]{0,62}$/, "expected 1 to 63 of a-z, 0-9 and _"),
      connectionBudget: wholePositive,
      servers: wholePositive,
    }),
    L4: vectorTier,
  }),
  maxStalenessMs: z.number().min(50).max(3_600_000),
  limits: z.strictObject(
    Object.fromEntries(
      Object.keys(DEFAULT_CONFIG.limits).map((name) => [name, LIMIT_BOUNDS[name] ?? wholePositive]),
    ),
  ),
  embeddings: embeddingsSchema,
  recall: z.strictObject({ language: z.enum(LANGUAGES) }),
  optimization: z.strictObject({
    enabled: z.boolean(),
    sweepIntervalMs: z.number().min(10),
    sweepRows: wholePositive,
  }),
  metrics: z.strictObject({ enabled: z.boolean(), prometheusEnabled: z.boolean() }),
  security: z.strictObject({
    encryptionKeys: z.array(encryptionKey),
    encryptionKeysFile: z.string().min(1).optional(),
  }),
});

/** One thing that is wrong with a configuration. */
export interface ConfigProblem {
  readonly field: string;
  readonly expected: string;
  readonly given: string;
}

const SECRET_FIELD = /key|password|secret|url/i;
/** A URL may hold a password, whatever the field is called. */
const URL_TEXT = /^openai:|:\/\/|@/;

function given(config: unknown, path: readonly PropertyKey[]): string {
  let value: unknown = config;
  for (const part of path)
    value = (value as { readonly [name: PropertyKey]: unknown } | undefined)?.[part];
  if (value === undefined) return "nothing";
  // What lies inside may be a secret, whatever it lies in is called.
  if (typeof value === "object" && value !== null) return describe(value);
  if (SECRET_FIELD.test(path.map(String).join("."))) return "[hidden]";
  if (typeof value === "string" && URL_TEXT.test(value)) return "[hidden]";
  return JSON.stringify(value) ?? typeof value;
}

/** All problems of a configuration, empty when it is sound. */
export function configProblems(config: unknown): readonly ConfigProblem[] {
  const parsed = configSchema.safeParse(config);
  if (parsed.success) return [];
  return parsed.error.issues.map((issue) => ({
    field: issue.path.map(String).join(".") || "config",
    expected: issue.message,
    given: given(config, issue.path),
  }));
}

/** Throws one INVALID_CONFIG that names every problem. */
export function refuseProblems(problems: readonly ConfigProblem[]): void {
  if (problems.length === 0) return;
  const lines = problems.map((p) => `  ${p.field}: ${p.expected}; given ${p.given}`);
  throw new MemoryError("INVALID_CONFIG", `the configuration is wrong:\n${lines.join("\n")}`);
}

/** The configuration unchanged, or one INVALID_CONFIG error that names every problem. */
export function checkConfig(config: MemoryConfig): MemoryConfig {
  refuseProblems(configProblems(config));
  return config;
}
