import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { isMemoryError } from "../model/errors.ts";
import type { MemoryConfig } from "./config.ts";
import { DEFAULT_CONFIG } from "./defaults.ts";
import { loadConfig } from "./environment.ts";
import { readConfigFile, resolveConfig } from "./resolve.ts";

const KEY = `k1:${Buffer.alloc(32, 7).toString("base64")}`;

function refusal(make: () => MemoryConfig): string {
  try {
    make();
  } catch (error) {
    if (isMemoryError(error) && error.code === "INVALID_CONFIG") return error.message;
    throw error;
  }
  throw new Error("the configuration was accepted");
}

function temporaryFile(text: string): string {
  const folder = mkdtempSync(join(tmpdir(), "cherry-config-"));
  onTestFinished(() => {
    rmSync(folder, { recursive: true });
  });
  const path = join(folder, "file");
  writeFileSync(path, text);
  return path;
}

describe("from the environment", () => {
  test("an empty environment gives the defaults: embedded, no service, no secret", () => {
    expect(loadConfig({})).toEqual(DEFAULT_CONFIG);
  });

  test("an empty variable counts as unset", () => {
    expect(loadConfig({ DATABASE_URL: "", CHERRY_L1_MAX_MB: " ", REDIS_URL: "" })).toEqual(
      DEFAULT_CONFIG,
    );
  });

  test("a Redis is used when its URL is given, alone or with more", () => {
    expect(loadConfig({ REDIS_URL: "redis://cache" }).tiers.L2).toEqual({
      enabled: true,
      url: "redis://cache",
      prefix: "cherry",
      commandTimeoutMs: 250,
      bus: true,
    });
    const full = loadConfig({
      REDIS_URL: "rediss-sentinel://a:1,b:2/main",
      REDIS_PASSWORD_FILE: "/run/secret",
      CHERRY_REDIS_PREFIX: "cherry-staging",
    });
    expect(full.tiers.L2).toMatchObject({
      url: "rediss-sentinel://a:1,b:2/main",
      passwordFile: "/run/secret",
      prefix: "cherry-staging",
    });
  });

  test("what is wrong about Redis is named, and its password is not", () => {
    const REDIS_URL = "http://:hunter2@cache";
    const message = refusal(() => loadConfig({ REDIS_URL, CHERRY_REDIS_PREFIX: "a:b" }));
    expect(message).toMatch(/tiers\.L2\.url: expected redis:\/\/.*given \[hidden\]/);
    expect(message).toMatch(/tiers\.L2\.prefix: expected 1 to 64/);
    expect(message).not.toContain("hunter2");
  });

  test("every variable reaches its setting", () => {
    const config = loadConfig({
      CHERRY_ENVIRONMENT: "staging",
      CHERRY_DATA_DIR: "elsewhere",
      DATABASE_URL: "postgres://u@h/d",
      DATABASE_PASSWORD_FILE: "/run/secret",
      CHERRY_DB_SCHEMA: "other",
      CHERRY_L1_MAX_MB: "12.5",
      CHERRY_MAX_STALENESS_MS: "300",
      CHERRY_MAX_VALUE_BYTES: "2048",
      CHERRY_ENCRYPTION_KEYS: KEY,
    });
    expect(config).toMatchObject({
      environment: "staging",
      dataDir: "elsewhere",
      tiers: {
        L1: { maxSizeMb: 12.5 },
        L3: { url: "postgres://u@h/d", passwordFile: "/run/secret", schema: "other" },
      },
      maxStalenessMs: 300,
      limits: { valueBytes: 2048 },
      security: { encryptionKeys: [KEY] },
    });
  });

  test("all problems come at once, each with its field, what was expected and what was given", () => {
    const message = refusal(() =>
      loadConfig({
        CHERRY_ENVIRONMENT: "prod",
        CHERRY_MAX_STALENESS_MS: "soon",
        CHERRY_L1_MAX_MB: "-1",
        CHERRY_DB_SCHEMA: "Bad-Name",
        DATABASE_URL: "mysql://u:secret@h/d",
      }),
    );
    expect(message).toMatch(/environment: .*"prod"/);
    expect(message).toMatch(/CHERRY_MAX_STALENESS_MS: a number; given "soon"/);
    expect(message).toMatch(/maxSizeMb: .*-1/);
    expect(message).toMatch(/schema: .*"Bad-Name"/);
    expect(message).toMatch(/postgres:\/\/user@host/);
    expect(message).not.toContain("secret");
  });

  test("keys come from a file, and a file that is not there is named", () => {
    const path = temporaryFile(`${KEY}\n`);
    expect(loadConfig({ CHERRY_ENCRYPTION_KEYS_FILE: path }).security).toEqual({
      encryptionKeys: [KEY],
      encryptionKeysFile: path,
    });
    expect(refusal(() => loadConfig({ CHERRY_ENCRYPTION_KEYS_FILE: `${path}.none` }))).toMatch(
      /CHERRY_ENCRYPTION_KEYS_FILE: a readable file/,
    );
  });

  test("a key that is too short is refused without being shown", () => {
    const short = `k1:${Buffer.alloc(16, 9).toString("base64")}`;
    const message = refusal(() => loadConfig({ CHERRY_ENCRYPTION_KEYS: short }));
    expect(message).toMatch(/expected id:base64 of 32 bytes/);
    expect(message).not.toContain(short.slice(3));
  });
});

describe("from an object or a file", () => {
  test("what is left out keeps its default, at every depth", () => {
    const config = resolveConfig({ tiers: { L1: { maxItems: 7 } }, maxStalenessMs: 200 });
    expect(config.tiers.L1).toEqual({ ...DEFAULT_CONFIG.tiers.L1, maxItems: 7 });
    expect(config.tiers.L0).toEqual(DEFAULT_CONFIG.tiers.L0);
    expect(config.maxStalenessMs).toBe(200);
  });

  test("a setting that does not exist is refused by name", () => {
    const misspelt = JSON.parse('{"tiers":{"L1":{"maxItem":7}},"colour":"red"}') as object;
    const message = refusal(() => resolveConfig(misspelt));
    expect(message).toMatch(/maxItem/);
    expect(message).toMatch(/colour/);
  });

  test("a file holds the same as an object", () => {
    const path = temporaryFile(JSON.stringify({ tiers: { L0: { enabled: false } } }));
    expect(readConfigFile(path).tiers.L0.enabled).toBe(false);
    expect(refusal(() => readConfigFile(temporaryFile("[1]")))).toMatch(/JSON object/);
    expect(refusal(() => readConfigFile(temporaryFile("{")))).toMatch(/readable JSON/);
  });
});

describe("embeddings", () => {
  const ENDPOINT = { CHERRY_EMBEDDINGS: "openai:https://api.example.com/v1" };

  test("come from the environment", () => {
    const file = temporaryFile("sk-1\n");
    expect(
      loadConfig({
        ...ENDPOINT,
        CHERRY_EMBEDDINGS_MODEL: "text-embedding-3-small",
        CHERRY_EMBEDDINGS_DIMENSIONS: "512",
        CHERRY_EMBEDDINGS_API_KEY_FILE: file,
      }).embeddings,
    ).toEqual({
      ...DEFAULT_CONFIG.embeddings,
      provider: "openai:https://api.example.com/v1",
      model: "text-embedding-3-small",
      dimensions: 512,
      apiKeyFile: file,
    });
  });

  test("the dimensions of a known model need not be said", () => {
    const { embeddings } = loadConfig({
      ...ENDPOINT,
      CHERRY_EMBEDDINGS_MODEL: "text-embedding-3-large",
    });
    expect(embeddings.dimensions).toBeUndefined();
  });

  test.each([
    [{ CHERRY_EMBEDDINGS: "openi" }, "embeddings.provider"],
    [{ CHERRY_EMBEDDINGS: "local:" }, "embeddings.provider"],
    [{ CHERRY_EMBEDDINGS: "openai:ftp://x" }, "embeddings.provider"],
    [ENDPOINT, "embeddings.model"],
    [{ ...ENDPOINT, CHERRY_EMBEDDINGS_MODEL: "mine" }, "embeddings.dimensions"],
    [{ CHERRY_EMBEDDINGS_DIMENSIONS: "many" }, "CHERRY_EMBEDDINGS_DIMENSIONS"],
    [{ CHERRY_EMBEDDINGS_DIMENSIONS: "5000" }, "embeddings.dimensions"],
    [{ CHERRY_EMBEDDINGS: "local:/m", CHERRY_EMBEDDINGS_MODEL: "m" }, "embeddings.model"],
    [{ CHERRY_EMBEDDINGS_API_KEY: "two words" }, "embeddings.apiKey"],
    [{ CHERRY_EMBEDDINGS_API_KEY_FILE: "/none" }, "CHERRY_EMBEDDINGS_API_KEY_FILE"],
  ])("%j is refused by naming %s", (env, field) => {
    expect(refusal(() => loadConfig(env))).toContain(`  ${field}: `);
  });

  test("a budget in money needs a price", () => {
    const embeddings = { budget: { usdPerDay: 1 } };
    expect(refusal(() => resolveConfig({ embeddings }))).toContain("usdPerMillionTokens");
  });

  test("no problem shows a key or a URL's password", () => {
    const message = refusal(() =>
      loadConfig({
        CHERRY_EMBEDDINGS: "openai:https://me:hunter2@api.example.com/v1",
        CHERRY_EMBEDDINGS_API_KEY: "hunter2 hunter2",
      }),
    );
    expect(message).toContain("embeddings.provider");
    expect(message).toContain("embeddings.apiKey");
    expect(message).not.toContain("hunter2");
  });
});
