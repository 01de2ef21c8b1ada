import { Writable } from "node:stream";
import { pino } from "pino";
import type { Logger } from "pino";
import { beforeAll, expect, test } from "vitest";
import { ROUTES } from "../src/routes/table.ts";
import { raw, requestText } from "./raw.ts";
import { freshNamespace, itemPath, nsPath, sharedMemory, startServer } from "./server.ts";

beforeAll(sharedMemory);

const DEPTH = 200_000;
const deep = `${"[".repeat(DEPTH)}${"]".repeat(DEPTH)}`;

/** Bad input is the caller's affair: nothing of it belongs into the log of errors. */
function capturing(): { readonly logger: Logger; readonly lines: string[] } {
  const lines: string[] = [];
  const stream = new Writable({
    write: (chunk, _encoding, done) => {
      lines.push(String(chunk));
      done();
    },
  });
  return { logger: pino({ level: "warn" }, stream), lines };
}

const JSON_TYPE = { "Content-Type": "application/json" };

test("a patch that is nested too deeply is refused, with an Idempotency-Key too", async () => {
  const { logger, lines } = capturing();
  const { call } = await startServer({ logger });
  const path = itemPath(freshNamespace(), "k");
  await call("PUT", path, { value: 1 });
  for (const headers of [{}, { "idempotency-key": "deep" }]) {
    const answer = await call("PATCH", path, deep, headers);
    expect([answer.status, answer.json?.["code"]]).toEqual([400, "INVALID_VALUE"]);
  }
  expect((await call("GET", path)).json?.["value"]).toBe(1);
  expect(lines).toEqual([]);
});

test.each(["value", "ifVersion", "key", "metadata", "tags", "ttlSeconds", "type", "tierHint"])(
  "a batch whose %s is nested too deeply is told so, and changes nothing",
  async (field) => {
    const { logger, lines } = capturing();
    const { call } = await startServer({ logger });
    const ns = freshNamespace();
    const fields: { [name: string]: string } = { type: '"set"', key: '"k"', value: "1" };
    fields[field] = deep;
    const members = Object.entries(fields).map(([name, value]) => `"${name}":${value}`);
    const answer = await call("POST", nsPath(ns, "batch"), `{"operations":[{${members.join()}}]}`);
    // A batch tells of single operations in its results.
    const results = answer.json?.["results"];
    const told = Array.isArray(results)
      ? String((results[0] as { error?: { code?: unknown } }).error?.code)
      : String(answer.json?.["code"]);
    expect(told).toMatch(/^INVALID_/);
    expect([200, 400]).toContain(answer.status);
    expect(answer.text.length).toBeLessThan(1_000);
    expect((await call("GET", itemPath(ns, "k"))).status).toBe(404);
    expect(lines).toEqual([]);
  },
);

test("a long version that is refused is not echoed whole", async () => {
  const { call } = await startServer();
  const operations = [{ type: "delete", key: "k", ifVersion: "y".repeat(1_000_000) }];
  const answer = await call("POST", nsPath(freshNamespace(), "batch"), { operations });
  expect(answer.text).toContain("ifVersion");
  expect(answer.text.length).toBeLessThan(1_000);
});

test.each(["%00", "rubbish", "x".repeat(5_000), "%F0%9F%99%82", "-".repeat(37)])(
  "a job called %j does not exist",
  async (id) => {
    const { logger, lines } = capturing();
    const { call } = await startServer({ logger });
    const answer = await call("GET", nsPath(freshNamespace(), `jobs/${id}`));
    expect([answer.status, answer.json?.["code"]]).toEqual([404, "NOT_FOUND"]);
    expect(lines).toEqual([]);
  },
);

test.each([
  ["export?after=%FF", "after"],
  ["export?after=%ED%A0%80", "after"],
  ["export?after=%C0%AF", "after"],
  ["export?after=a%zz", "after"],
  ["export?after=%e", "after"],
  ["export?%FF=1", "query"],
  ["changes?after=%FF", "after"],
  ["items/k?consistency=any%FF", "consistency"],
])("%s is refused: it is no percent-encoded UTF-8", async (rest, field) => {
  const server = await startServer();
  const answer = await raw(server, requestText("GET", nsPath(freshNamespace(), rest)));
  expect(answer).toMatch(/^HTTP\/1\.1 400 /);
  expect(answer).toContain(`"field":"${field}"`);
  expect(answer).toContain("UTF-8");
});

test.each([
  ["9999999999999999", 400, "INVALID_CURSOR"],
  ["9007199254740993", 400, "INVALID_CURSOR"],
  ["9007199254740991", 410, "CURSOR_EXPIRED"],
])("a stream from %s, where the log never was, is refused", async (after, status, code) => {
  const { call } = await startServer();
  const path = nsPath(freshNamespace(), "changes");
  for (const [target, headers] of [
    [`${path}?after=${after}`, {}],
    [path, { "last-event-id": after }],
  ] as const) {
    const answer = await call("HEAD", target, undefined, headers);
    expect(answer.status).toBe(status);
    const got = await call("GET", target, undefined, headers);
    expect([got.status, got.json?.["code"]]).toEqual([status, code]);
  }
});

test("a query is read as forms are: plus is a space, escapes are bytes of UTF-8", async () => {
  const { call } = await startServer();
  const ns = freshNamespace();
  for (const key of ["a b", "a+b", "aé", "b=&c", "z"])
    await call("PUT", itemPath(ns, key), { value: 1 });
  const after = async (text: string): Promise<string[]> => {
    const { text: lines } = await call("GET", nsPath(ns, `export?after=${text}`));
    return lines
      .trimEnd()
      .split("\n")
      .map((line) => (JSON.parse(line) as { key: string }).key);
  };
  expect(await after("a+b")).toEqual(["a+b", "aé", "b=&c", "z"]);
  expect(await after("a%20b")).toEqual(["a+b", "aé", "b=&c", "z"]);
  expect(await after("a%2Bb")).toEqual(["aé", "b=&c", "z"]);
  expect(await after("a%C3%A9&")).toEqual(["b=&c", "z"]);
  expect(await after("b%3D%26c")).toEqual(["z"]);
  expect(await after("b=%26c&below=false")).toEqual(["z"]);
  const bare = await call("GET", nsPath(ns, "export?after"));
  expect([bare.status, bare.json?.["code"]]).toEqual([400, "INVALID_KEY"]);
});

const bodiless = ROUTES.filter(({ operation }) => operation.requestBody === undefined);

test.each(bodiless.map(({ method, path }) => [method, path] as const))(
  "%s %s refuses a body, however its length is told",
  async (method, path) => {
    const server = await startServer();
    const target = path
      .replace("{ns}", freshNamespace())
      .replace("{key}", "k")
      .replace("{id}", "x");
    const body = '{"ifVersion":"1"}';
    const chunked = `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`;
    const requests = [
      requestText(method, target, JSON_TYPE, body),
      requestText(method, target, { ...JSON_TYPE, "Transfer-Encoding": "chunked" }) + chunked,
    ];
    for (const request of requests) {
      const answer = await raw(server, request);
      expect(answer).toMatch(/^HTTP\/1\.1 400 /);
      expect(answer).toContain('"code":"INVALID_ARGUMENT"');
      expect(answer).toContain('"field":"body"');
    }
  },
);

test("HEAD refuses a body as GET does; OPTIONS, an unknown route and method say what they are", async () => {
  const server = await startServer();
  const path = itemPath(freshNamespace(), "k");
  const status = async (method: string, target: string): Promise<string> =>
    (await raw(server, requestText(method, target, JSON_TYPE, "{}"))).slice(9, 12);
  expect(await status("HEAD", path)).toBe("400");
  expect(await status("OPTIONS", path)).toBe("204");
  expect(await status("POST", path)).toBe("405");
  expect(await status("GET", "/nowhere")).toBe("404");
});

test("a DELETE whose body was refused deletes nothing; a length of 0 is no body", async () => {
  const server = await startServer();
  const path = itemPath(freshNamespace(), "k");
  await server.call("PUT", path, { value: 1 });
  await raw(server, requestText("DELETE", path, JSON_TYPE, '{"ifVersion":"1"}'));
  expect((await server.call("GET", `${path}?consistency=latest`)).status).toBe(200);
  const empty = requestText("DELETE", path, { "Content-Length": "0" });
  expect(await raw(server, empty)).toMatch(/^HTTP\/1\.1 200 .*"existed":true/s);
});

test.each([
  ["GET", "items/k"],
  ["PUT", "items/k"],
  ["PATCH", "items/k"],
  ["DELETE", "items/k"],
  ["POST", "batch"],
  ["POST", "search"],
  ["POST", "forget"],
  ["GET", "jobs/x"],
  ["GET", "export"],
  ["GET", "changes"],
  ["GET", "explain/k"],
  ["GET", "/v1/stats"],
  ["POST", "/v1/optimize"],
])("%s %s refuses an unknown query parameter by its name", async (method, rest) => {
  const { call } = await startServer();
  const path = rest.startsWith("/") ? rest : nsPath(freshNamespace(), rest);
  const answer = await call(method, `${path}?colour=red`);
  expect([answer.status, answer.json?.["code"], answer.json?.["field"]]).toEqual([
    400,
    "INVALID_ARGUMENT",
    "colour",
  ]);
});

test.each([
  ["search", { pattern: "*", colour: 1 }],
  ["forget", { keys: ["k"], colour: 1 }],
  ["batch", { operations: [], colour: 1 }],
])("%s refuses an unknown field by its name", async (route, body) => {
  const { call } = await startServer();
  const ns = freshNamespace();
  await call("PUT", itemPath(ns, "k"), { value: 1 });
  const answer = await call("POST", nsPath(ns, route), body);
  expect([answer.status, answer.json?.["field"]]).toEqual([400, "colour"]);
  expect((await call("GET", itemPath(ns, "k"))).status).toBe(200);
});

test.each([
  ["tags", []],
  ["metadataFilter", {}],
  ["metadataFilter", { $and: [{}] }],
])("a forget whose %s select everything is refused: %j", async (field, selection) => {
  const { call } = await startServer();
  const ns = freshNamespace();
  await call("PUT", itemPath(ns, "k"), { value: 1 });
  const answer = await call("POST", nsPath(ns, "forget"), { [field]: selection });
  expect([answer.status, answer.json?.["code"]]).toEqual([400, "INVALID_ARGUMENT"]);
  expect((await call("GET", `${itemPath(ns, "k")}?consistency=latest`)).status).toBe(200);
});

const TEN_YEARS_SECONDS = 315_576_000;
const METADATA_BYTES = 16 * 1024 - '{"m":""}'.length;
const nested = (depth: number): unknown => (depth === 0 ? { a: 1 } : { $not: nested(depth - 1) });

/** What a limit allows, the same and one more, and the code for that. */
const limits: readonly (readonly [string, "items" | "search", (more: number) => object, string])[] =
  [
    [
      "metadata of 16 KiB",
      "items",
      (more) => ({ value: 1, metadata: { m: "x".repeat(METADATA_BYTES + more) } }),
      "INVALID_METADATA",
    ],
    [
      "a tag of 128 bytes",
      "items",
      (more) => ({ value: 1, tags: [`${"é".repeat(64)}${"x".repeat(more)}`] }),
      "INVALID_TAGS",
    ],
    [
      "32 tags",
      "items",
      (more) => ({ value: 1, tags: Array.from({ length: 32 + more }, (_, i) => `t${i}`) }),
      "INVALID_TAGS",
    ],
    [
      "a TTL of ten years",
      "items",
      (more) => ({ value: 1, ttlSeconds: TEN_YEARS_SECONDS + more }),
      "INVALID_TTL",
    ],
    ["a page of 1,000", "search", (more) => ({ limit: 1_000 + more }), "INVALID_ARGUMENT"],
    [
      "a pattern of 1,024 bytes",
      "search",
      (more) => ({ pattern: `${"é".repeat(512)}${"x".repeat(more)}` }),
      "INVALID_PATTERN",
    ],
    [
      "a filter of 100 clauses",
      "search",
      (more) => ({
        metadataFilter: Object.fromEntries(
          Array.from({ length: 100 + more }, (_, i) => [`f${i}`, i]),
        ),
      }),
      "INVALID_FILTER",
    ],
    [
      "a filter 16 deep",
      "search",
      (more) => ({ metadataFilter: nested(16 + more) }),
      "INVALID_FILTER",
    ],
  ];

test.each(limits)("%s is taken, one more is refused", async (_what, where, body, code) => {
  const { call } = await startServer();
  const ns = freshNamespace();
  const send = (more: number): ReturnType<typeof call> =>
    where === "items"
      ? call("PUT", itemPath(ns, `k${more}`), body(more))
      : call("POST", nsPath(ns, where), body(more));
  expect((await send(0)).status).toBe(200);
  const beyond = await send(1);
  expect([beyond.status, beyond.json?.["code"]]).toEqual([400, code]);
  expect((await call("GET", itemPath(ns, "k1"))).status).toBe(404);
});
