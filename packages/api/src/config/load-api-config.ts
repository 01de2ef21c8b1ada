import { isIP } from "node:net";
import { MemoryError, isMemoryError, loadConfig } from "@cherry-ai/memory";
import type { EnvironmentVariables, MemoryConfig } from "@cherry-ai/memory";
import { z } from "zod";
import type { ApiConfig, AuthConfig, LogLevel } from "./api-config.ts";
import { parseSecrets, readSecrets } from "./secrets.ts";

const LOG_LEVELS = ["fatal", "error", "warn", "info", "debug", "trace", "silent"] as const;

const variables = z.object({
  HOST: z.string().default("127.0.0.1"),
  PORT: z
    .string()
    .regex(/^\d{1,5}$/, "expected a port number, 0 to 65535")
    .transform(Number)
    .refine((port) => port <= 65_535, "expected a port number, 0 to 65535")
    .default(8787),
  LOG_LEVEL: z
    .enum(LOG_LEVELS, { error: `expected one of ${LOG_LEVELS.join(", ")}` })
    .default("info"),
  CHERRY_JWT_SECRET: z.string().optional(),
  CHERRY_JWT_SECRET_FILE: z.string().optional(),
  CHERRY_JWKS_URL: z.string().optional(),
  CHERRY_JWT_ISSUER: z.string().optional(),
  CHERRY_JWT_AUDIENCE: z.string().optional(),
});

type Variables = z.infer<typeof variables>;

const NO_TOKENS =
  "no JWT setting (CHERRY_JWT_SECRET, CHERRY_JWT_SECRET_FILE or CHERRY_JWKS_URL) is there";

/** Only this machine can reach such an address. */
function isLoopbackAddress(host: string): boolean {
  if (host === "localhost" || host === "::1") return true;
  return isIP(host) === 4 && host.startsWith("127.");
}

/** The server's whole configuration; every problem of it in one INVALID_CONFIG. */
export function loadApiConfig(env: EnvironmentVariables): ApiConfig {
  const problems: string[] = [];
  const memory = memoryConfig(env, problems);
  const parsed = variables.safeParse(withoutEmpty(env));
  if (!parsed.success)
    for (const issue of parsed.error.issues) {
      const name = String(issue.path[0]);
      problems.push(`${name}: ${issue.message}; given ${JSON.stringify(env[name])}`);
    }
  // Judged also when another variable is wrong, so that one start shows all problems.
  const settings: Variables = parsed.success
    ? parsed.data
    : { ...textOf(env), HOST: env["HOST"] ?? "127.0.0.1", PORT: 0, LOG_LEVEL: "info" };
  const auth = authConfig(settings, problems);
  if (auth?.kind === "loopback") refuseOpenDoors(settings.HOST, env, problems);
  if (problems.length > 0 || memory === undefined || auth === undefined)
    throw new MemoryError(
      "INVALID_CONFIG",
      `the configuration is wrong:\n${problems.map((problem) => `  ${problem}`).join("\n")}`,
    );
  const logLevel: LogLevel = settings.LOG_LEVEL;
  return { host: settings.HOST, port: settings.PORT, logLevel, auth, memory };
}

function memoryConfig(env: EnvironmentVariables, problems: string[]): MemoryConfig | undefined {
  try {
    return loadConfig(env);
  } catch (error) {
    if (!isMemoryError(error) || error.code !== "INVALID_CONFIG") throw error;
    const [, ...lines] = error.message.split("\n");
    problems.push(...(lines.length === 0 ? [error.message] : lines.map((line) => line.trim())));
    return undefined;
  }
}

/** An empty variable counts as unset. */
function withoutEmpty(env: EnvironmentVariables): { [name: string]: string } {
  const kept: { [name: string]: string } = {};
  for (const name of Object.keys(variables.shape)) {
    const value = env[name]?.trim();
    if (value !== undefined && value !== "") kept[name] = value;
  }
  return kept;
}

function textOf(env: EnvironmentVariables): Partial<Variables> {
  const { PORT: _port, LOG_LEVEL: _level, HOST: _host, ...texts } = withoutEmpty(env);
  return texts;
}

function authConfig(settings: Variables, problems: string[]): AuthConfig | undefined {
  const rules = {
    issuer: settings.CHERRY_JWT_ISSUER,
    audience: settings.CHERRY_JWT_AUDIENCE,
  };
  const { CHERRY_JWT_SECRET: secret, CHERRY_JWT_SECRET_FILE: file } = settings;
  const jwks = settings.CHERRY_JWKS_URL;
  if (secret === undefined && file === undefined && jwks === undefined) return { kind: "loopback" };
  if (jwks !== undefined) {
    if (secret !== undefined || file !== undefined) {
      problems.push("CHERRY_JWKS_URL: expected no CHERRY_JWT_SECRET beside it; given both");
      return undefined;
    }
    return jwksConfig(jwks, rules, problems);
  }
  const read = file === undefined ? parseSecrets(secret ?? "") : readSecrets(file);
  if ("problem" in read) {
    const name = file === undefined ? "CHERRY_JWT_SECRET" : "CHERRY_JWT_SECRET_FILE";
    problems.push(`${name}: ${read.problem}`);
    return undefined;
  }
  return { kind: "secret", secrets: read.secrets, file, ...rules };
}

function jwksConfig(
  text: string,
  rules: { readonly issuer: string | undefined; readonly audience: string | undefined },
  problems: string[],
): AuthConfig | undefined {
  const url = URL.parse(text);
  const safe = url?.protocol === "https:" || isLoopbackAddress(url?.hostname ?? "");
  if (url === null || !safe || !url.protocol.startsWith("http")) {
    problems.push(
      `CHERRY_JWKS_URL: expected an https:// URL (http:// on loopback only); given ${shownOrigin(url)}`,
    );
    return undefined;
  }
  // They could not be sent, but each attempt's error would show them.
  if (url.username !== "" || url.password !== "") {
    problems.push(
      `CHERRY_JWKS_URL: expected no user or password in the URL, public keys need none; given some for ${url.origin}`,
    );
    return undefined;
  }
  // An identity provider signs tokens for many services: without these, theirs would open ours.
  for (const [name, value] of [
    ["CHERRY_JWT_ISSUER", rules.issuer],
    ["CHERRY_JWT_AUDIENCE", rules.audience],
  ] as const)
    if (value === undefined) problems.push(`${name}: expected with CHERRY_JWKS_URL; given nothing`);
  return { kind: "jwks", url, ...rules };
}

/** Never a whole URL, which may hold credentials. */
function shownOrigin(url: URL | null): string {
  return url === null || url.origin === "null" ? "another text" : url.origin;
}

/** Without tokens anybody who reaches the port may do anything: so only this machine may. */
function refuseOpenDoors(host: string, env: EnvironmentVariables, problems: string[]): void {
  if (!isLoopbackAddress(host))
    problems.push(
      `HOST: expected a loopback address such as 127.0.0.1, because ${NO_TOKENS}; given ${JSON.stringify(host)}`,
    );
  const environment = env["CHERRY_ENVIRONMENT"]?.trim();
  if (environment === "staging" || environment === "production")
    problems.push(
      `CHERRY_ENVIRONMENT: expected development, because ${NO_TOKENS}; given ${JSON.stringify(environment)}`,
    );
}
