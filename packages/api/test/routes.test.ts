import { ERROR_CODES } from "@cherry-ai/memory";
import { PROBLEM_STATUS } from "@cherry-ai/client/contract";
import { beforeAll, expect, test } from "vitest";
import { statusOf } from "../src/http/problem.ts";
import { ROUTES } from "../src/routes/table.ts";
import { freshNamespace, itemPath, nsPath, sharedMemory, startServer } from "./server.ts";

beforeAll(sharedMemory);

test.each([
  "/v1/no-such-route",
  "/",
  "/mcp",
  "/v1/namespaces/a",
  "/v1/namespaces//items/k",
  "/v1/namespaces/a/items/",
  "/v1/namespaces/a/items/k/",
  "/V1/stats",
  "/v1/namespaces/a/remind",
])("%s is a 404 problem", async (path) => {
  const { call } = await startServer();
  for (const method of ["GET", "POST"]) {
    const answer = await call(method, path);
    expect([answer.status, answer.json?.["code"]]).toEqual([404, "ROUTE_NOT_FOUND"]);
    expect(answer.headers.get("content-type")).toBe("application/problem+json");
  }
});

test("an unknown method on a known route is 405 and says which are known", async () => {
  const { call } = await startServer();
  const item = await call("POST", itemPath("a", "k"), { value: 1 });
  expect([item.status, item.json?.["code"]]).toEqual([405, "METHOD_NOT_ALLOWED"]);
  expect(item.headers.get("allow")).toBe("GET, PUT, PATCH, DELETE, HEAD, OPTIONS");
  expect((await call("GET", nsPath("a", "batch"))).headers.get("allow")).toBe("POST, OPTIONS");
  const options = await call("OPTIONS", itemPath("a", "k"));
  expect([options.status, options.headers.get("allow")]).toEqual([
    204,
    "GET, PUT, PATCH, DELETE, HEAD, OPTIONS",
  ]);
  expect((await call("QUERY", "/livez")).status).toBe(405);
});

test("the document describes every route, and every route that it describes exists", async () => {
  const { call } = await startServer();
  const document = (await call("GET", "/openapi.json")).json as {
    readonly openapi: string;
    readonly paths: {
      readonly [path: string]: { readonly [method: string]: { readonly operationId: string } };
    };
  };
  expect(document.openapi).toBe("3.1.0");
  const described = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
  );
  expect(described.toSorted()).toEqual(ROUTES.map((r) => `${r.method} ${r.path}`).toSorted());
  const ids = Object.values(document.paths).flatMap((each) =>
    Object.values(each).map((o) => o.operationId),
  );
  expect(new Set(ids).size).toBe(ids.length);
  for (const [path, methods] of Object.entries(document.paths))
    for (const method of Object.keys(methods)) {
      const address = path.replace("{ns}", "a").replace("{key}", "k").replace("{id}", "1");
      if (path.endsWith("/changes")) continue;
      const answer = await call(method.toUpperCase(), address);
      expect([
        address,
        answer.status === 405 || answer.json?.["code"] === "ROUTE_NOT_FOUND",
      ]).toEqual([address, false]);
    }
});

test("every reference of the document leads somewhere", async () => {
  const { call } = await startServer();
  const { text, json } = await call("GET", "/openapi.json");
  const references = new Set(
    [...text.matchAll(/"\$ref": "#\/([^"]+)"/g)].map(([, path]) => path ?? ""),
  );
  expect(references.size).toBeGreaterThan(10);
  for (const path of references) {
    const found = path
      .split("/")
      .reduce<unknown>((at, name) => Reflect.get(Object(at), name), json);
    expect([path, found === undefined]).toEqual([path, false]);
  }
});

test("the contract knows every code of the library with the same status", () => {
  for (const [code, { status }] of Object.entries(ERROR_CODES))
    expect([code, Reflect.get(PROBLEM_STATUS, code)]).toEqual([code, status]);
  expect(statusOf("VERSION_CONFLICT")).toBe(412);
});

test("a decent X-Request-Id is taken over, another is replaced", async () => {
  const { call } = await startServer();
  const given = await call("GET", "/livez", undefined, { "x-request-id": "abc-1" });
  expect(given.headers.get("x-request-id")).toBe("abc-1");
  const odd = await call("GET", "/livez", undefined, { "x-request-id": "a b" });
  expect(odd.headers.get("x-request-id")).not.toBe("a b");
});

test("metrics are Prometheus text and count requests by route, never by key", async () => {
  const { call } = await startServer();
  await call("GET", itemPath(freshNamespace(), "secret-key"));
  const { text, headers } = await call("GET", "/metrics");
  expect(headers.get("content-type")).toContain("text/plain");
  expect(text).toMatch(
    /cherry_http_request_duration_seconds_count\{route="\/v1\/namespaces\/\{ns\}\/items\/\{key\}",method="GET",status="4xx"\} 1/,
  );
  expect(text).toContain("cherry_http_requests_in_flight 1");
  expect(text).toContain("process_cpu_seconds_total");
  expect(text).not.toContain("secret-key");
});

test("stats, optimize and explain answer", async () => {
  const { call } = await startServer();
  const ns = freshNamespace();
  await call("PUT", itemPath(ns, "k"), { value: 1 });
  expect((await call("GET", "/v1/stats")).json).toMatchObject({ status: "ready" });
  expect((await call("POST", "/v1/optimize")).json).toMatchObject({ promoted: 0 });
  const explained = await call("GET", nsPath(ns, "explain/k"));
  expect(explained.json).toMatchObject({ key: "k", namespace: ns });
  expect(explained.json?.["tiers"]).toBeInstanceOf(Array);
});

test("until the memory is open only the probes answer", async () => {
  const { call, server } = await startServer({ unstarted: true });
  expect((await call("GET", "/livez")).status).toBe(200);
  const ready = await call("GET", "/readyz");
  expect([ready.status, ready.json?.["status"]]).toEqual([503, "starting"]);
  const item = await call("GET", itemPath("a", "k"));
  expect([item.status, item.json?.["code"]]).toEqual([503, "NOT_INITIALIZED"]);
  await server.start();
  expect((await call("GET", "/readyz")).status).toBe(200);
  expect((await call("GET", "/health")).status).toBe(200);
  expect((await call("GET", itemPath("a", "k"))).status).toBe(404);
});
