import { createHmac, generateKeyPairSync } from "node:crypto";
import { createServer } from "node:http";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryFolder } from "@cherry-ai/services";
import { SignJWT, exportJWK } from "jose";
import { beforeAll, describe, expect, onTestFinished, test } from "vitest";
import type { Access, Route } from "../src/http/route.ts";
import { isNamespaced } from "../src/http/route.ts";
import { ROUTES } from "../src/routes/table.ts";
import { sharedMemory, startServer } from "./server.ts";
import type { TestServer } from "./server.ts";

const SECRET = "a-secret-of-more-than-32-characters!!";
const ENV = { CHERRY_JWT_SECRET: SECRET, CHERRY_JWT_ISSUER: "iss", CHERRY_JWT_AUDIENCE: "aud" };

beforeAll(sharedMemory);

interface Claims {
  readonly [name: string]: unknown;
}

/** Signed by hand, so that what a library would refuse to make can be made. */
function token(
  claims: Claims,
  how: { readonly secret?: string; readonly alg?: string; readonly mac?: string } = {},
): string {
  const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");
  const nowSeconds = Math.floor(Date.now() / 1000);
  const payload = { iss: "iss", aud: "aud", sub: "tester", exp: nowSeconds + 600, ...claims };
  const alg = how.alg ?? "HS256";
  const body = `${part({ alg, typ: "JWT" })}.${part(payload)}`;
  const mac = createHmac(how.mac ?? "sha256", how.secret ?? SECRET);
  return `${body}.${alg === "none" ? "" : mac.update(body).digest("base64url")}`;
}

function bearer(text: string): { readonly authorization: string } {
  return { authorization: `Bearer ${text}` };
}

function addressOf(route: Route, ns: string): string {
  return route.path
    .replace("{ns}", encodeURIComponent(ns))
    .replace("{key}", "k")
    .replace("{id}", "00000000-0000-0000-0000-000000000000");
}

const BODIES: { readonly [path: string]: unknown } = {
  "/v1/namespaces/{ns}/batch": { operations: [] },
  "/v1/namespaces/{ns}/search": { pattern: "*", limit: 1 },
  "/v1/namespaces/{ns}/forget": { keys: ["none"], dryRun: true },
};

/** Sends a decent request; a stream is read no further than its status. */
async function statusOf(
  server: TestServer,
  route: Route,
  ns: string,
  jwt?: string,
): Promise<number> {
  const isImport = route.path.endsWith("/import");
  const body = isImport ? "" : (BODIES[route.path] ?? (route.method === "PUT" ? { value: 1 } : {}));
  const hasBody = route.method !== "GET" && route.method !== "DELETE";
  const leave = new AbortController();
  const response = await fetch(server.url + addressOf(route, ns), {
    method: route.method,
    headers: {
      ...(jwt === undefined ? {} : bearer(jwt)),
      ...(hasBody
        ? { "content-type": isImport ? "application/x-ndjson" : "application/json" }
        : {}),
    },
    ...(hasBody ? { body: typeof body === "string" ? body : JSON.stringify(body) } : {}),
    signal: leave.signal,
  });
  leave.abort();
  return response.status;
}

const RANK: { readonly [access in Access]: number } = {
  open: 0,
  reader: 1,
  writer: 2,
  admin: 3,
  metrics: 3,
};

describe("every route", () => {
  test("needs a token, unless it is open or asked for metrics from this machine", async () => {
    const server = await startServer({ env: ENV });
    for (const route of ROUTES) {
      const status = await statusOf(server, route, "acme/a");
      const open = route.access === "open" || route.access === "metrics";
      expect([route.method, route.path, status === 401]).toEqual([route.method, route.path, !open]);
    }
  });

  const claims = ["acme/a", "acme", "acme/a/b", "acme/ab", "ac", "other"] as const;
  const covering = new Set<string>(["acme/a", "acme"]);

  test.each(["reader", "writer", "admin"] as const)(
    "is open to a %s exactly as its scope and its namespaces say",
    async (scope) => {
      const server = await startServer({ env: ENV });
      const wanted: unknown[] = [];
      const found: unknown[] = [];
      for (const route of ROUTES)
        for (const claim of claims) {
          const status = await statusOf(server, route, "acme/a", token({ scope, ns: [claim] }));
          const inScope = RANK[scope] >= RANK[route.access] || route.access === "metrics";
          const allowed = inScope && (!isNamespaced(route) || covering.has(claim));
          wanted.push([route.method, route.path, claim, allowed]);
          found.push([route.method, route.path, claim, status !== 403]);
          expect(status).not.toBe(401);
        }
      expect(found).toEqual(wanted);
    },
  );
});

const refused: readonly (readonly [string, string])[] = [
  ["alg none", token({ scope: "admin", ns: ["*"] }, { alg: "none" })],
  ["another algorithm", token({ scope: "admin", ns: ["*"] }, { alg: "HS512", mac: "sha512" })],
  ["another secret", token({ scope: "admin", ns: ["*"] }, { secret: "x".repeat(40) })],
  ["an expired token", token({ scope: "admin", ns: ["*"], exp: 1 })],
  ["a token without exp", token({ scope: "admin", ns: ["*"], exp: undefined })],
  ["a token of the future", token({ scope: "admin", ns: ["*"], nbf: 9_999_999_999 })],
  ["another issuer", token({ scope: "admin", ns: ["*"], iss: "else" })],
  ["another audience", token({ scope: "admin", ns: ["*"], aud: "else" })],
  ["no subject", token({ scope: "admin", ns: ["*"], sub: undefined })],
  ["an unknown scope", token({ scope: "root", ns: ["*"] })],
  ["a scope of the prototype", token({ scope: "toString", ns: ["*"] })],
  ["no namespaces", token({ scope: "admin", ns: [] })],
  ["a namespace as text", token({ scope: "admin", ns: "*" })],
  ["an empty namespace", token({ scope: "admin", ns: [""] })],
  ["a namespace that is none", token({ scope: "admin", ns: ["a//b"] })],
  ["rubbish", "a.b.c"],
  ["a very long token", `${"a".repeat(9000)}.b.c`],
];

test.each(refused)("%s is 401", async (_what, jwt) => {
  const { call } = await startServer({ env: ENV });
  const answer = await call("GET", "/v1/stats", undefined, bearer(jwt));
  expect([answer.status, answer.json?.["code"]]).toEqual([401, "UNAUTHENTICATED"]);
  expect(answer.headers.get("www-authenticate")).toBe('Bearer error="invalid_token"');
  expect(answer.text).not.toContain(jwt);
});

test("without a token the bare challenge is given, with another scheme it is an error", async () => {
  const { call } = await startServer({ env: ENV });
  expect((await call("GET", "/v1/stats")).headers.get("www-authenticate")).toBe("Bearer");
  const basic = await call("GET", "/v1/stats", undefined, { authorization: "Basic eDp5" });
  expect([basic.status, basic.headers.get("www-authenticate")]).toEqual([
    401,
    'Bearer error="invalid_token"',
  ]);
});

test("a remembered token ends at its exp", async () => {
  const nowMs = Date.now();
  let passedMs = 0;
  const clock = {
    monotonicMs: () => performance.now(),
    monotonicNs: () => process.hrtime.bigint(),
    wallMs: () => nowMs + passedMs,
    sleep: () => new Promise<void>(() => {}),
  };
  const { TokenAuthenticator } = await import("../src/auth/tokens.ts");
  const { DEFAULT_LIMITS } = await import("@cherry-ai/memory");
  const { pino } = await import("pino");
  const auth = new TokenAuthenticator({
    auth: { kind: "secret", secrets: [SECRET], file: undefined, issuer: "iss", audience: "aud" },
    limits: DEFAULT_LIMITS,
    clock,
    logger: pino({ level: "silent" }),
  });
  const exp = Math.floor(nowMs / 1000) + 60;
  const authorization = `Bearer ${token({ scope: "reader", ns: ["a"], exp })}`;
  const req = { headers: { authorization } } as never;
  await expect(auth.identify(req)).resolves.toMatchObject({ scope: "reader" });
  expect(auth.identify(req)).toMatchObject({ scope: "reader" });
  passedMs = 70_000;
  await expect(auth.identify(req)).rejects.toMatchObject({ code: "UNAUTHENTICATED" });
});

test("the first secret of a list signs, all of them verify", async () => {
  const second = "another-secret-of-more-than-32-characters";
  const { call } = await startServer({ env: { CHERRY_JWT_SECRET: `${SECRET},${second}` } });
  for (const secret of [SECRET, second]) {
    const jwt = token({ scope: "admin", ns: ["*"] }, { secret });
    expect((await call("GET", "/v1/stats", undefined, bearer(jwt))).status).toBe(200);
  }
});

test("a changed secret file is taken up, and what the old secret signed ends with it", async () => {
  const { path, remove } = temporaryFolder("secret");
  onTestFinished(() => remove());
  const file = join(path, "jwt");
  writeFileSync(file, `${SECRET}\n`);
  const { call } = await startServer({ env: { CHERRY_JWT_SECRET_FILE: file } });
  const next = "the-next-secret-of-more-than-32-characters";
  const status = async (secret: string): Promise<number> => {
    const jwt = token({ scope: "admin", ns: ["*"] }, { secret });
    return (await call("GET", "/v1/stats", undefined, bearer(jwt))).status;
  };
  expect([await status(SECRET), await status(next)]).toEqual([200, 401]);
  writeFileSync(file, `${next}\n`);
  await expect.poll(() => status(next), { timeout: 10_000 }).toBe(200);
  expect(await status(SECRET)).toBe(401);
  writeFileSync(file, "short\n");
  await expect.poll(() => status(next), { timeout: 1_000 }).toBe(200);
});

test("keys of an identity provider verify; a shared secret made of a public key does not", async () => {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const jwk = { ...(await exportJWK(publicKey)), kid: "1", alg: "ES256", use: "sig" };
  let available = true;
  const provider = createServer((_req, res) => {
    res.writeHead(available ? 200 : 500, { "content-type": "application/json" });
    res.end(JSON.stringify({ keys: [jwk] }));
  });
  await new Promise<void>((resolve) => {
    provider.listen(0, "127.0.0.1", () => resolve());
  });
  onTestFinished(() => {
    provider.close();
  });
  const address = provider.address();
  const port = typeof address === "object" ? (address?.port ?? 0) : 0;
  const env = {
    CHERRY_JWKS_URL: `http://127.0.0.1:${port}/jwks`,
    CHERRY_JWT_ISSUER: "iss",
    CHERRY_JWT_AUDIENCE: "aud",
  };
  const signed = await new SignJWT({ scope: "admin", ns: ["*"] })
    .setProtectedHeader({ alg: "ES256", kid: "1" })
    .setSubject("tester")
    .setIssuer("iss")
    .setAudience("aud")
    .setExpirationTime("10m")
    .sign(privateKey);
  const good = await startServer({ env });
  expect((await good.call("GET", "/v1/stats", undefined, bearer(signed))).status).toBe(200);
  const pem = publicKey.export({ type: "spki", format: "pem" }).toString();
  const forged = token({ scope: "admin", ns: ["*"] }, { secret: pem });
  expect((await good.call("GET", "/v1/stats", undefined, bearer(forged))).status).toBe(401);
  available = false;
  const lost = await startServer({ env });
  const answer = await lost.call("GET", "/v1/stats", undefined, bearer(signed));
  expect([answer.status, answer.json?.["code"]]).toEqual([503, "AUTH_UNAVAILABLE"]);
});

describe("metrics", () => {
  test("are open to this machine, and behind a proxy only to admin with all namespaces", async () => {
    const { call } = await startServer({ env: ENV });
    const proxied = { "x-forwarded-for": "203.0.113.9" };
    const status = async (headers: { readonly [name: string]: string }): Promise<number> =>
      (await call("GET", "/metrics", undefined, headers)).status;
    expect(await status({})).toBe(200);
    expect(await status(proxied)).toBe(401);
    const as = (scope: string, ns: string): { readonly [name: string]: string } => ({
      ...proxied,
      ...bearer(token({ scope, ns: [ns] })),
    });
    expect(await status(as("admin", "*"))).toBe(200);
    expect(await status(as("admin", "acme"))).toBe(403);
    expect(await status(as("writer", "*"))).toBe(403);
  });
});

describe("without a JWT setting", () => {
  test.each([
    ["x-forwarded-for", "203.0.113.9"],
    ["forwarded", "for=203.0.113.9"],
  ])("a request with %s is 403 on every route", async (name, value) => {
    const { call } = await startServer();
    for (const path of ["/v1/stats", "/livez", "/metrics", "/v1/namespaces/a/items/k", "/none"]) {
      const answer = await call("GET", path, undefined, { [name]: value });
      expect([path, answer.status, answer.json?.["code"]]).toEqual([path, 403, "FORBIDDEN"]);
    }
  });

  test("only a loopback Host is served", async () => {
    const { LoopbackAuthenticator } = await import("../src/auth/loopback.ts");
    const auth = new LoopbackAuthenticator();
    const admit = (host?: string) => (): void => {
      auth.admit({ headers: { host } } as never);
    };
    for (const host of ["localhost", "localhost:8787", "127.0.0.1:1", "127.9.9.9", "[::1]:8787"])
      expect(admit(host), host).not.toThrow();
    for (const host of [
      undefined,
      "",
      "evil.example",
      "localhost.evil.example",
      "127.0.0.1.evil.example",
      "10.0.0.1:8787",
      "[::2]",
    ])
      expect(admit(host), String(host)).toThrow(/Host/);
  });
});
