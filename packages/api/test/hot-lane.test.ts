import { createHmac } from "node:crypto";
import type { RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { PrometheusMetrics, systemClock } from "@cherry-ai/memory";
import fc from "fast-check";
import { pino } from "pino";
import { beforeAll, expect, onTestFinished, test } from "vitest";
import { LoopbackAuthenticator } from "../src/auth/loopback.ts";
import { TokenAuthenticator } from "../src/auth/tokens.ts";
import type { Authenticator } from "../src/auth/authenticator.ts";
import { loadApiConfig } from "../src/config/load-api-config.ts";
import { DEFAULT_BOUNDS } from "../src/http/context.ts";
import type { ApiContext } from "../src/http/context.ts";
import { HttpMetrics } from "../src/metrics/http-metrics.ts";
import { createApp } from "../src/server/app.ts";
import { withHotLane } from "../src/server/hot-lane.ts";
import { createListener } from "../src/server/listener.ts";
import { ServerState } from "../src/server/server-state.ts";
import { raw, requestText } from "./raw.ts";
import type { Listening } from "./raw.ts";
import { itemPath, sharedMemory } from "./server.ts";

const SECRET = "a-secret-of-more-than-32-characters!!";
const DURATIONS = "cherry_http_request_duration_seconds";

beforeAll(async () => {
  const memory = await sharedMemory();
  await memory.set("root", 0);
  const a = memory.namespace("a");
  for (const [index, key] of ["k", "a b/c", "é", "100%", "__proto__", "a;b=c"].entries())
    await a.set(key, { index, key }, { metadata: { m: "é" }, tags: ["t"], ttlSeconds: 1e6 });
  await memory.namespace("a/b").set("k", "deep");
});

/** One of the two ways to the same routes, with what it has logged and counted. */
interface Lane extends Listening {
  readonly log: string[];
  readonly counts: () => Promise<unknown>;
  readonly expressCalls: () => number;
}

async function lane(isHot: boolean, auth: Authenticator): Promise<Lane> {
  const { registry } = new PrometheusMetrics();
  const state = new ServerState();
  state.markReady();
  const log: string[] = [];
  const write = (line: string): void => {
    log.push(line.replace(/"durationMs":\d+/, ""));
  };
  const context: ApiContext = {
    memory: await sharedMemory(),
    limits: loadApiConfig({ CHERRY_DATA_DIR: ":memory:" }).memory.limits,
    auth,
    state,
    metrics: new HttpMetrics(registry, state),
    registry,
    logger: pino({ level: "debug", base: null, timestamp: false }, { write }),
    clock: systemClock,
    bounds: { ...DEFAULT_BOUNDS, slowRequestMs: Infinity },
  };
  const app = createApp(context);
  let expressCalls = 0;
  const counted: RequestListener = (req, res) => {
    expressCalls += 1;
    app(req, res);
  };
  const server = createListener(isHot ? withHotLane(context, counted) : counted);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const counts = async (): Promise<unknown> => {
    const metric = (await registry.getMetricsAsJSON()).find(({ name }) => name === DURATIONS);
    return metric?.values
      .filter((value) => "metricName" in value && value.metricName === `${DURATIONS}_count`)
      .map(({ labels, value }) => JSON.stringify([labels, value]))
      .toSorted();
  };
  // It listens on TCP.
  const { port } = server.address() as AddressInfo;
  return { server: { port }, log, counts, expressCalls: () => expressCalls };
}

/** Without what no two answers to one request share. */
function comparable(text: string): string {
  return (
    text
      .replace(/^Date: .*$/m, "Date")
      // It counts the digits of what is left out below; that it is right, `raw` has seen.
      .replace(/^Content-Length: .*$/m, "Content-Length")
      .replaceAll(/"accessedAt":"[^"]*","accessCount":\d+/g, "accesses")
      .replaceAll(/"ttlSeconds":[\d.]+/g, "ttl")
      .replaceAll(/(X-Request-Id: |"requestId":")[\w-]{8}-[0-9a-z]+\b/g, "$1made")
  );
}

function token(claims: object): string {
  const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");
  const exp = Math.floor(systemClock.wallMs() / 1000) + 3600;
  const payload = { iss: "iss", aud: "aud", sub: "tester", exp, ...claims };
  const body = `${part({ alg: "HS256", typ: "JWT" })}.${part(payload)}`;
  return `${body}.${createHmac("sha256", SECRET).update(body).digest("base64url")}`;
}

const odd = fc.constantFrom(
  ...["%", "%2F", "%ff", "%00", "%C3%A9", "..", ".", ";", ":", "\\", "|", '"', "[", "]", "{", "+"],
  ...[
    "\u00a0",
    "é",
    "~",
    "!",
    "$",
    "&",
    "'",
    "(",
    "*",
    ",",
    "=",
    "@",
    "^",
    "`",
    "<",
    ">",
    "a",
    "k",
  ],
);
const segment = fc.oneof(
  fc.constantFrom("a", "k", "%2F", "a%2Fb", "%61", "root", "a%20b%2Fc", "%C3%A9", "100%25"),
  fc.constantFrom("__proto__", "a;b=c", "none", "", "k".repeat(1025), "constructor"),
  fc.array(odd, { minLength: 1, maxLength: 4 }).map((parts) => parts.join("")),
);
const often = <T>(usual: T, ...others: readonly T[]): fc.Arbitrary<T> =>
  fc.oneof(
    { weight: 6, arbitrary: fc.constant(usual) },
    { weight: 2, arbitrary: fc.constantFrom(usual, ...others) },
  );
const target = fc
  .tuple(
    often(
      "/v1/namespaces/",
      "/V1/namespaces/",
      "//v1/namespaces/",
      "/v1/namespaces//",
      "http://localhost/v1/namespaces/",
    ),
    segment,
    often("/items/", "/Items/", "/items//", "/items", "/explain/", "/x/items/"),
    segment,
    often(
      "",
      "/",
      "?",
      "?consistency=latest",
      "?consistency=session",
      "?bogus=1",
      "?a=%ff",
      "#f",
      "?maxStalenessMs=5",
      "/x",
    ),
  )
  .map((parts) => parts.join(""));
const header = (
  name: string,
  ...values: readonly string[]
): fc.Arbitrary<{ readonly [name: string]: string }> =>
  often({}, ...values.map((value) => ({ [name]: value })));
const headers = fc
  .tuple(
    header("Host", "evil.example", "127.0.0.1:80"),
    header("X-Request-Id", "mine", "not decent!", ""),
    header("If-None-Match", '"1"', "*", '"2", W/"3"'),
    header("Cache-Control", "no-cache", "max-age=0"),
    header("X-Forwarded-For", "10.0.0.1"),
    header("X-Cherry-Session", "bogus", ""),
    header("Connection", "close"),
    header("Content-Length", "2"),
    fc.constantFrom("none", "bad", "reader", "other"),
  )
  .map(([...parts]) => {
    const authorization = AUTHORIZATION[parts.pop() as string];
    const own = Object.assign({}, ...parts) as { readonly [name: string]: string };
    return authorization === undefined ? own : { ...own, Authorization: authorization };
  });

const AUTHORIZATION: { readonly [kind: string]: string | undefined } = {
  bad: "Bearer a.b.c",
  reader: `Bearer ${token({ ns: ["*"], scope: "reader" })}`,
  other: `Bearer ${token({ ns: ["b"], scope: "admin" })}`,
};
const method = often("GET", "HEAD", "OPTIONS", "POST", "TRACE");

function tokens(): Authenticator {
  const env = { CHERRY_JWT_SECRET: SECRET, CHERRY_JWT_ISSUER: "iss", CHERRY_JWT_AUDIENCE: "aud" };
  const { auth, memory } = loadApiConfig({ CHERRY_DATA_DIR: ":memory:", ...env });
  if (auth.kind === "loopback") throw new Error("expected tokens to be needed");
  const logger = pino({ level: "silent" });
  return new TokenAuthenticator({ auth, limits: memory.limits, clock: systemClock, logger });
}

test.each([
  ["no tokens", () => new LoopbackAuthenticator()],
  ["tokens", tokens],
])("with %s, both lanes answer, log and count every request alike", async (_, auth) => {
  const [hot, express] = [await lane(true, auth()), await lane(false, auth())];
  await fc.assert(
    fc.asyncProperty(method, target, headers, async (verb, path, given) => {
      const request = requestText(verb, path, given, "");
      const body = "Content-Length" in given ? "{}" : "";
      const expected = await raw(express, request + body);
      expect(comparable(await raw(hot, request + body))).toBe(comparable(expected));
      expect(hot.log.splice(0).map(comparable)).toEqual(express.log.splice(0).map(comparable));
    }),
    { numRuns: 1000 },
  );
  expect(await hot.counts()).toEqual(await express.counts());
  expect(hot.expressCalls()).toBeLessThan(express.expressCalls());
});

test("a read of an item passes express by", async () => {
  const hot = await lane(true, new LoopbackAuthenticator());
  const answer = await raw(hot, requestText("GET", itemPath("a", "a b/c")));
  expect(answer).toContain("HTTP/1.1 200 OK");
  expect(answer).toContain('"key":"a b/c"');
  expect(hot.expressCalls()).toBe(0);
});
