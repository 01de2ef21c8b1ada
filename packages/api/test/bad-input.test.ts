import { connect } from "node:net";
import { systemClock } from "@cherry-ai/memory";
import { beforeAll, expect, test } from "vitest";
import { freshNamespace, itemPath, nsPath, sharedMemory, startServer } from "./server.ts";
import type { TestServer } from "./server.ts";

beforeAll(sharedMemory);

const deep = (depth: number): string => `${"[".repeat(depth)}${"]".repeat(depth)}`;

const put: readonly (readonly [string, unknown, string])[] = [
  ["broken JSON", '{"value": ', "INVALID_JSON"],
  ["no value", {}, "INVALID_VALUE"],
  ["a list", [], "INVALID_ARGUMENT"],
  ["null", "null", "INVALID_ARGUMENT"],
  ["an unknown field", { value: 1, colour: "red" }, "INVALID_ARGUMENT"],
  ["a field called __proto__", '{"value":1,"__proto__":{}}', "INVALID_ARGUMENT"],
  ["a negative TTL", { value: 1, ttlSeconds: -1 }, "INVALID_TTL"],
  ["a TTL of 0", { value: 1, ttlSeconds: 0 }, "INVALID_TTL"],
  ["a TTL as text", { value: 1, ttlSeconds: "60" }, "INVALID_TTL"],
  ["a TTL of null", { value: 1, ttlSeconds: null }, "INVALID_TTL"],
  ["a tier that is none", { value: 1, tierHint: "L9" }, "INVALID_ARGUMENT"],
  ["a durability that is none", { value: 1, durability: "maybe" }, "INVALID_ARGUMENT"],
  ["ephemeral without TTL or tier", { value: 1, durability: "ephemeral" }, "INVALID_ARGUMENT"],
  ["metadata that is a list", { value: 1, metadata: [1] }, "INVALID_METADATA"],
  ["metadata with NUL", { value: 1, metadata: { a: "\u0000" } }, "INVALID_METADATA"],
  ["tags that are no list", { value: 1, tags: "a" }, "INVALID_TAGS"],
  ["a tag that is no text", { value: 1, tags: [1] }, "INVALID_TAGS"],
  ["33 tags", { value: 1, tags: Array.from({ length: 33 }, (_, i) => `t${i}`) }, "INVALID_TAGS"],
  ["text that is a number", { value: 1, text: 1 }, "INVALID_ARGUMENT"],
  ["index that is text", { value: 1, index: "no" }, "INVALID_ARGUMENT"],
  ["a value 65 deep", `{"value":${deep(65)}}`, "INVALID_VALUE"],
  ["a value 100,000 deep", `{"value":${deep(100_000)}}`, "INVALID_VALUE"],
];

test.each(put)("PUT with %s changes nothing", async (_what, body, code) => {
  const { call } = await startServer();
  const path = itemPath(freshNamespace(), "k");
  const answer = await call("PUT", path, body);
  expect([answer.status, answer.json?.["code"]]).toEqual([400, code]);
  expect(answer.headers.get("content-type")).toBe("application/problem+json");
  expect(answer.json).toMatchObject({ status: 400, retryable: false });
  expect(String(answer.json?.["detail"]).length).toBeLessThan(500);
  expect(answer.headers.get("x-request-id")).toBe(answer.json?.["requestId"]);
  expect((await call("GET", path)).status).toBe(404);
});

const posts: readonly (readonly [string, string, unknown, string])[] = [
  ["a batch that is no list", "batch", { operations: {} }, "INVALID_ARGUMENT"],
  ["a batch without operations", "batch", {}, "INVALID_ARGUMENT"],
  ["an operation that is no object", "batch", { operations: [1] }, "INVALID_ARGUMENT"],
  [
    "an unknown operation",
    "batch",
    { operations: [{ type: "drop", key: "k" }] },
    "INVALID_ARGUMENT",
  ],
  ["a set without value", "batch", { operations: [{ type: "set", key: "k" }] }, "INVALID_ARGUMENT"],
  [
    "an operation with an unknown field",
    "batch",
    { operations: [{ type: "get", key: "k", x: 1 }] },
    "INVALID_ARGUMENT",
  ],
  ["an operation without key", "batch", { operations: [{ type: "get" }] }, "INVALID_KEY"],
  ["atomic as text", "batch", { operations: [], atomic: "yes" }, "INVALID_ARGUMENT"],
  ["limit -1", "search", { limit: -1 }, "INVALID_ARGUMENT"],
  ["limit 1e9", "search", { limit: 1e9 }, "INVALID_ARGUMENT"],
  ["limit as text", "search", { limit: "10" }, "INVALID_ARGUMENT"],
  ["a cursor of rubbish", "search", { cursor: "rubbish" }, "INVALID_CURSOR"],
  ["an unclosed class", "search", { pattern: "[a" }, "INVALID_PATTERN"],
  ["a pattern that is no text", "search", { pattern: 1 }, "INVALID_PATTERN"],
  ["an unknown operator", "search", { metadataFilter: { a: { $where: "1" } } }, "INVALID_FILTER"],
  ["a filter that is a list", "search", { metadataFilter: [] }, "INVALID_FILTER"],
  [
    "a filter 5,000 deep",
    "search",
    `{"metadataFilter":${'{"$not":'.repeat(5000)}{"a":1}${"}".repeat(5000)}}`,
    "INVALID_FILTER",
  ],
  ["an unknown mode", "search", { query: "x", mode: "psychic" }, "INVALID_ARGUMENT"],
  ["no selection", "forget", {}, "INVALID_ARGUMENT"],
  ["keys that are no list", "forget", { keys: "k" }, "INVALID_ARGUMENT"],
  ["dryRun as text", "forget", { keys: ["k"], dryRun: "yes" }, "INVALID_ARGUMENT"],
];

test.each(posts)("%s is refused", async (_what, route, body, code) => {
  const { call } = await startServer();
  const ns = freshNamespace();
  await call("PUT", itemPath(ns, "keep"), { value: 1 });
  const answer = await call("POST", nsPath(ns, route), body);
  expect([answer.status, answer.json?.["code"]]).toEqual([400, code]);
  expect((await call("GET", itemPath(ns, "keep"))).status).toBe(200);
});

const paths: readonly (readonly [string, string, string])[] = [
  ["a key with NUL", "/v1/namespaces/a/items/a%00b", "INVALID_KEY"],
  ["a key that is not UTF-8", "/v1/namespaces/a/items/%ED%A0%80", "INVALID_KEY"],
  ["a broken escape", "/v1/namespaces/a/items/%zz", "INVALID_KEY"],
  ["half an escape", "/v1/namespaces/a/items/%e", "INVALID_KEY"],
  ["a key of 7,000 characters", `/v1/namespaces/a/items/${"k".repeat(7000)}`, "INVALID_KEY"],
  ["a key of 1,025 bytes", `/v1/namespaces/a/items/${"%C3%A9".repeat(512)}k`, "INVALID_KEY"],
  ["a broken escape in the namespace", "/v1/namespaces/%zz/items/k", "INVALID_NAMESPACE"],
  ["an empty segment", "/v1/namespaces/a%2F%2Fb/items/k", "INVALID_NAMESPACE"],
  ["a leading slash", "/v1/namespaces/%2Fa/items/k", "INVALID_NAMESPACE"],
  ["two slashes alone", "/v1/namespaces/%2F%2F/items/k", "INVALID_NAMESPACE"],
  ["17 segments", `/v1/namespaces/${Array(17).fill("a").join("%2F")}/items/k`, "INVALID_NAMESPACE"],
  ["a namespace with a dotted segment", "/v1/namespaces/a%2F..%2Fb/items/k", "INVALID_NAMESPACE"],
];

test.each(paths)("%s is refused", async (_what, path, code) => {
  const { call } = await startServer();
  for (const [method, body] of [["GET"], ["PUT", { value: 1 }], ["DELETE"]] as const) {
    const answer = await call(method, path, body);
    expect([method, answer.status, answer.json?.["code"]]).toEqual([method, 400, code]);
  }
});

test("a key of exactly 1,024 bytes, each escaped, in a namespace of 512 is served", async () => {
  const { call } = await startServer();
  const ns = encodeURIComponent("é".repeat(256));
  const path = `/v1/namespaces/${ns}/items/${encodeURIComponent("é".repeat(512))}`;
  expect((await call("PUT", path, { value: 1 })).status).toBe(200);
  expect((await call("GET", path)).json?.["value"]).toBe(1);
});

/** Sends text as it is and resolves to the answer's head and body. */
function raw(server: TestServer, request: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(new URL(server.url).port), "127.0.0.1", () =>
      socket.write(request),
    );
    let answer = "";
    socket.on("data", (data) => {
      answer += data.toString("utf8");
      if (answer.includes("\r\n\r\n") && answer.trimEnd().endsWith("}")) socket.destroy();
    });
    socket.on("close", () => resolve(answer));
    socket.on("error", reject);
  });
}

test("a dotted path that a client did not rewrite is refused, not resolved", async () => {
  const server = await startServer();
  const head = "HTTP/1.1\r\nHost: localhost\r\n\r\n";
  for (const key of ["..", "%2E%2E", "."])
    expect(await raw(server, `GET /v1/namespaces/a/items/${key} ${head}`)).toContain("INVALID_KEY");
});

test("headers beyond the bound are a 431 problem", async () => {
  const server = await startServer();
  const answer = await raw(
    server,
    `GET /livez HTTP/1.1\r\nHost: localhost\r\nx: ${"y".repeat(40_000)}\r\n\r\n`,
  );
  expect(answer).toMatch(/^HTTP\/1\.1 431 /);
  expect(answer).toContain("HEADERS_TOO_LARGE");
});

test("what is no HTTP is a 400 problem", async () => {
  const server = await startServer();
  expect(await raw(server, "HELLO\r\n\r\n")).toMatch(/^HTTP\/1\.1 400 .*INVALID_ARGUMENT/s);
});

test("a half-sent body stores nothing and the server goes on", async () => {
  const server = await startServer();
  const path = itemPath(freshNamespace(), "half");
  const socket = connect(Number(new URL(server.url).port), "127.0.0.1");
  await new Promise<void>((resolve) => {
    socket.write(
      `PUT ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"value":1}`,
      () => resolve(),
    );
  });
  await expect.poll(() => server.server.state.inFlight).toBe(1);
  socket.destroy();
  await expect.poll(() => server.server.state.inFlight).toBe(0);
  expect((await server.call("GET", path)).status).toBe(404);
});

test("a body that takes for ever is a 408 and stores nothing", async () => {
  const late = Promise.withResolvers<void>();
  const clock = {
    ...systemClock,
    sleep: (delayMs: number, signal?: AbortSignal): Promise<void> =>
      delayMs === 60_000 ? late.promise : systemClock.sleep(delayMs, signal),
  };
  const server = await startServer({ clock });
  const path = itemPath(freshNamespace(), "slow");
  const answer = raw(
    server,
    `PUT ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"value":1}`,
  );
  await expect.poll(() => server.server.state.inFlight).toBe(1);
  late.resolve();
  expect(await answer).toMatch(/^HTTP\/1\.1 408 .*Connection: close.*REQUEST_TIMEOUT/s);
  expect((await server.call("GET", path)).status).toBe(404);
});

test("a body over the bound is a 413 that its sender sees, however it is sent", async () => {
  const { call, url } = await startServer();
  const path = itemPath(freshNamespace(), "k");
  const value = "x".repeat(16 * 1024 * 1024);
  const answer = await call("PUT", path, { value });
  expect([answer.status, answer.json?.["code"]]).toEqual([413, "BODY_TOO_LARGE"]);
  const chunks = new ReadableStream<Uint8Array>({
    start(controller) {
      for (let i = 0; i < 64; i += 1) controller.enqueue(Buffer.alloc(256 * 1024, "x"));
      controller.close();
    },
  });
  const streamed = await fetch(url + path, {
    method: "PUT",
    headers: { "content-type": "application/json" },
    body: chunks,
    duplex: "half",
  });
  expect(streamed.status).toBe(413);
  expect((await call("GET", path)).status).toBe(404);
});

test("a value of exactly the limit is stored, one byte more is VALUE_TOO_LARGE", async () => {
  const { call } = await startServer();
  const path = itemPath(freshNamespace(), "k");
  const QUOTES_BYTES = 2;
  const fits = "x".repeat(1024 * 1024 - QUOTES_BYTES);
  expect((await call("PUT", path, { value: fits })).status).toBe(200);
  const answer = await call("PUT", path, { value: `${fits}x` });
  expect([answer.status, answer.json?.["code"]]).toEqual([413, "VALUE_TOO_LARGE"]);
  expect((await call("GET", path)).json?.["value"]).toBe(fits);
});

test("a batch of 1,001 operations, or of more than 8 MiB, is too large", async () => {
  const { call } = await startServer();
  const path = nsPath(freshNamespace(), "batch");
  const gets = (count: number): object[] =>
    Array.from({ length: count }, () => ({ type: "get", key: "a" }));
  expect((await call("POST", path, { operations: gets(1000) })).status).toBe(200);
  const many = await call("POST", path, { operations: gets(1001) });
  expect([many.status, many.json?.["code"]]).toEqual([413, "BATCH_TOO_LARGE"]);
  const value = "x".repeat(1000_000);
  const big = Array.from({ length: 9 }, (_, i) => ({ type: "set", key: `k${i}`, value }));
  expect((await call("POST", path, { operations: big })).status).toBe(413);
});

test.each([
  ["application/x-www-form-urlencoded", "value=1"],
  ["text/plain", '{"value":1}'],
  ["application/json; charset=latin1", '{"value":1}'],
  ["application/merge-patch+json", '{"value":1}'],
])("PUT with the type %s is 415", async (type, body) => {
  const { call } = await startServer();
  const path = itemPath(freshNamespace(), "k");
  const answer = await call("PUT", path, body, { "content-type": type });
  expect([answer.status, answer.json?.["code"]]).toEqual([415, "UNSUPPORTED_MEDIA_TYPE"]);
  expect((await call("GET", path)).status).toBe(404);
});

test.each(["application/json; charset=utf-8", 'Application/JSON;charset="UTF-8"'])(
  "PUT with the type %s is taken",
  async (type) => {
    const { call } = await startServer();
    const path = itemPath(freshNamespace(), "k");
    expect((await call("PUT", path, { value: 1 }, { "content-type": type })).status).toBe(200);
  },
);

test("a compressed body is 415, bytes that are no UTF-8 are refused", async () => {
  const { call, url } = await startServer();
  const path = itemPath(freshNamespace(), "k");
  expect((await call("PUT", path, { value: 1 }, { "content-encoding": "gzip" })).status).toBe(415);
  const body = Buffer.concat([Buffer.from('{"value":"'), Buffer.from([0xff]), Buffer.from('"}')]);
  const headers = { "content-type": "application/json" };
  const answer = await fetch(url + path, { method: "PUT", headers, body });
  expect([answer.status, ((await answer.json()) as { code: string }).code]).toEqual([
    400,
    "INVALID_JSON",
  ]);
});
