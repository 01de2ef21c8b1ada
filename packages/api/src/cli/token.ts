import type { Command } from "commander";
import { checkNamespace, systemClock } from "@cherry-ai/memory";
import type { EnvironmentVariables } from "@cherry-ai/memory";
import { isScope } from "../auth/identity.ts";
import { loadApiConfig } from "../config/load-api-config.ts";
import { parseDuration } from "./duration.ts";
import { UsageError, print, printJson } from "./output.ts";

const EXAMPLES = `
Examples:
  $ CHERRY_JWT_SECRET_FILE=/run/secrets/jwt cherry-memory token --scope writer --ns acme/agent-7 --ttl 24h
  $ cherry-memory token --scope reader --ns acme,shared/docs --ttl 15m
  $ cherry-memory token --scope admin --ns '*' --ttl 1h --json

The token is for servers with the same CHERRY_JWT_SECRET, CHERRY_JWT_ISSUER and CHERRY_JWT_AUDIENCE.
`;

/** A token that lives longer is a secret in all but name. */
const TTL_SECONDS_MAX = 366 * 86_400;

interface TokenOptions {
  readonly scope: string;
  readonly ns: string;
  readonly ttl: string;
  readonly sub: string;
  readonly json: boolean;
}

export function addToken(program: Command, env: EnvironmentVariables): void {
  program
    .command("token")
    .description("sign a token with the first CHERRY_JWT_SECRET")
    .requiredOption("--scope <scope>", "reader, writer or admin")
    .requiredOption("--ns <namespaces>", "namespaces it may touch, separated by commas; * for all")
    .requiredOption("--ttl <duration>", "how long it is good for: 15m, 24h, 7d")
    .option("--sub <subject>", "who it is for", "cherry-memory-cli")
    .option("--json", "answer as JSON", false)
    .addHelpText("after", EXAMPLES)
    .action((options: TokenOptions) => signToken(options, env));
}

async function signToken(options: TokenOptions, env: EnvironmentVariables): Promise<void> {
  const { auth, memory } = loadApiConfig({ ...env, HOST: "" });
  if (auth.kind !== "secret")
    throw new UsageError("CHERRY_JWT_SECRET or CHERRY_JWT_SECRET_FILE: expected one; given none");
  const { scope } = options;
  if (!isScope(scope))
    throw new UsageError(`--scope: expected reader, writer or admin, got ${JSON.stringify(scope)}`);
  const ns = options.ns.split(",").map((name) => name.trim());
  for (const name of ns) {
    if (name === "") throw new UsageError("--ns: expected namespaces separated by commas, or *");
    if (name !== "*") checkNamespace(name, memory.limits);
  }
  const ttlSeconds = parseDuration(options.ttl, "--ttl");
  if (ttlSeconds > TTL_SECONDS_MAX) throw new UsageError("--ttl: expected at most 366d");
  const { SignJWT } = await import("jose");
  const nowSeconds = Math.floor(systemClock.wallMs() / 1000);
  const expiresAtSeconds = nowSeconds + ttlSeconds;
  const jwt = new SignJWT({ scope, ns })
    .setProtectedHeader({ alg: "HS256", typ: "JWT" })
    .setSubject(options.sub)
    .setIssuedAt(nowSeconds)
    .setExpirationTime(expiresAtSeconds);
  if (auth.issuer !== undefined) jwt.setIssuer(auth.issuer);
  if (auth.audience !== undefined) jwt.setAudience(auth.audience);
  const token = await jwt.sign(Buffer.from(auth.secrets[0] ?? ""));
  const expiresAt = new Date(expiresAtSeconds * 1000).toISOString();
  if (options.json) printJson({ token, scope, ns, sub: options.sub, expiresAt });
  else print(token);
}
