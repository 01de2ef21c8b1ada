import { beforeAll, expect, test } from "vitest";
import { freshNamespace, itemPath, sharedMemory, startServer } from "./server.ts";

beforeAll(sharedMemory);

test("a write gives a receipt, a read the item with its version as ETag and its tier", async () => {
  const { call } = await startServer();
  const path = itemPath(freshNamespace(), "user:123");
  const put = await call("PUT", path, { value: { name: "John" }, metadata: { a: 1 }, tags: ["x"] });
  expect(put.status).toBe(200);
  expect(put.json).toMatchObject({ key: "user:123", tiers: { l3: "stored" } });
  const got = await call("GET", path);
  expect(got.status).toBe(200);
  expect(got.json).toMatchObject({ value: { name: "John" }, metadata: { a: 1 }, tags: ["x"] });
  expect(got.headers.get("etag")).toBe(`"${String(put.json?.["version"])}"`);
  expect(got.headers.get("x-cherry-tier")).toBe("l1");
  expect(got.headers.get("x-request-id")).toBeTruthy();
  expect(Number(got.headers.get("content-length"))).toBe(Buffer.byteLength(got.text));
});

test("the spliced item has every field that the library's item has", async () => {
  const { call } = await startServer();
  const ns = freshNamespace();
  await call("PUT", itemPath(ns, 'é"k'), { value: "ü", ttlSeconds: 60, tags: ["é"] });
  const got = await call("GET", itemPath(ns, 'é"k'));
  const item = await (await sharedMemory()).namespace(ns).getItem('é"k');
  expect(Object.keys(got.json ?? {}).toSorted()).toEqual(Object.keys(item ?? {}).toSorted());
  const stable = [
    "namespace",
    "key",
    "value",
    "tags",
    "version",
    "createdAt",
    "expiresAt",
    "checksum",
  ];
  for (const name of stable) expect(got.json?.[name]).toEqual(Reflect.get(item ?? {}, name));
});

test.each([
  "with space",
  "a/b/c",
  "...",
  "100%",
  "ключ",
  "🙂:1",
  "a?b#c&d=e",
  "{}",
  "__proto__",
  "'; --",
])("the key %j round trips", async (key) => {
  const { call } = await startServer();
  const path = itemPath(freshNamespace(), key);
  expect((await call("PUT", path, { value: { key } })).status).toBe(200);
  expect((await call("GET", path)).json).toMatchObject({ key, value: { key } });
});

const values: readonly { readonly value: unknown }[] = [
  null,
  false,
  0,
  "",
  [],
  {},
  "🙂\u0000é\ud800",
  { constructor: 1, toString: [2] },
].map((value) => ({ value }));

test.each(values)("the value $value round trips", async ({ value }) => {
  const { call } = await startServer();
  const path = itemPath(freshNamespace(), "k");
  expect((await call("PUT", path, { value })).status).toBe(200);
  expect((await call("GET", path)).json?.["value"]).toEqual(value);
});

test("a member called __proto__ is data, not a prototype", async () => {
  const { call } = await startServer();
  const path = itemPath(freshNamespace(), "k");
  await call("PUT", path, '{"value":{"__proto__":{"polluted":true}}}');
  expect((await call("GET", path)).text).toContain('"value":{"__proto__":{"polluted":true}}');
});

test("the root namespace is addressed as %2F and is a namespace like any other", async () => {
  const { call } = await startServer();
  const path = `/v1/namespaces/%2F/items/${freshNamespace()}`;
  expect((await call("PUT", path, { value: 1 })).status).toBe(200);
  expect((await call("GET", path)).json).toMatchObject({ namespace: "", value: 1 });
});

test("If-Match and If-None-Match decide whether a write happens", async () => {
  const { call } = await startServer();
  const path = itemPath(freshNamespace(), "k");
  expect((await call("PUT", path, { value: 0 }, { "if-match": "*" })).status).toBe(412);
  const first = await call("PUT", path, { value: 1 }, { "if-none-match": "*" });
  expect(first.status).toBe(200);
  const again = await call("PUT", path, { value: 2 }, { "if-none-match": "*" });
  expect([again.status, again.json?.["code"]]).toEqual([412, "VERSION_CONFLICT"]);
  expect(again.json?.["currentVersion"]).toBe(first.json?.["version"]);
  expect((await call("PUT", path, { value: 2 }, { "if-match": '"999999"' })).status).toBe(412);
  expect((await call("PUT", path, { value: 2 }, { "if-match": "*" })).status).toBe(200);
  const etag = (await call("GET", path)).headers.get("etag") ?? "";
  expect((await call("PATCH", path, { a: 1 }, { "if-match": '"1000000"' })).status).toBe(412);
  expect((await call("DELETE", path, undefined, { "if-match": '"1000000"' })).status).toBe(412);
  expect((await call("DELETE", path, undefined, { "if-match": etag })).json?.["existed"]).toBe(
    true,
  );
  expect((await call("PATCH", path, { a: 1 }, { "if-match": "*" })).status).toBe(412);
  expect((await call("PATCH", path, { a: 1 })).status).toBe(404);
});

test.each([
  ["if-match", "12"],
  ["if-match", '"1" "2"'],
  ["if-none-match", '"1"'],
  ["idempotency-key", "two words"],
  ["idempotency-key", "x".repeat(256)],
])("the header %s: %s is refused by name", async (name, value) => {
  const { call } = await startServer();
  const path = itemPath(freshNamespace(), "k");
  const answer = await call("PUT", path, { value: 1 }, { [name]: value });
  expect([answer.status, answer.json?.["code"]]).toEqual([400, "INVALID_ARGUMENT"]);
  expect(String(answer.json?.["field"]).toLowerCase()).toBe(name);
  expect((await call("GET", path)).status).toBe(404);
});

test("If-None-Match on a read saves the body", async () => {
  const { call } = await startServer();
  const path = itemPath(freshNamespace(), "k");
  await call("PUT", path, { value: 1 });
  const etag = (await call("GET", path)).headers.get("etag") ?? "";
  for (const tag of [etag, `W/${etag}`, `"0", ${etag}`, "*"]) {
    const answer = await call("GET", path, undefined, { "if-none-match": tag });
    expect([tag, answer.status, answer.text]).toEqual([tag, 304, ""]);
    expect(answer.headers.get("etag")).toBe(etag);
  }
  expect((await call("GET", path, undefined, { "if-none-match": '"0"' })).status).toBe(200);
});

test("HEAD answers as GET does, without the body", async () => {
  const { call } = await startServer();
  const path = itemPath(freshNamespace(), "k");
  await call("PUT", path, { value: "abc" });
  const got = await call("GET", path);
  const head = await call("HEAD", path);
  expect([head.status, head.text]).toEqual([200, ""]);
  expect(head.headers.get("etag")).toBe(got.headers.get("etag"));
  expect((await call("HEAD", itemPath(freshNamespace(), "none"))).status).toBe(404);
});

test("an Idempotency-Key gives the first receipt again, and 422 to another body", async () => {
  const { call } = await startServer();
  const path = itemPath(freshNamespace(), "k");
  const headers = { "idempotency-key": "once" };
  const first = await call("PUT", path, { value: 1 }, headers);
  await call("PUT", path, { value: 2 });
  const again = await call("PUT", path, { value: 1 }, headers);
  expect(again.json?.["version"]).toBe(first.json?.["version"]);
  expect((await call("GET", path)).json?.["value"]).toBe(2);
  const other = await call("PUT", path, { value: 3 }, headers);
  expect([other.status, other.json?.["code"]]).toEqual([422, "IDEMPOTENCY_MISMATCH"]);
});

test("PATCH merges by RFC 7396 under both of its types", async () => {
  const { call } = await startServer();
  const path = itemPath(freshNamespace(), "k");
  await call("PUT", path, { value: { a: 1, b: { c: 2, d: 3 } } });
  await call("PATCH", path, { b: { c: null } }, { "content-type": "application/merge-patch+json" });
  expect((await call("GET", path)).json?.["value"]).toEqual({ a: 1, b: { d: 3 } });
  await call("PATCH", path, { a: null });
  expect((await call("GET", path)).json?.["value"]).toEqual({ b: { d: 3 } });
});

test("latest is asked for by query or by Cache-Control", async () => {
  const { call } = await startServer();
  const path = itemPath(freshNamespace(), "k");
  await call("PUT", path, { value: 1 });
  await call("GET", path);
  const tier = async (query: string, headers = {}): Promise<string | null> =>
    (await call("GET", path + query, undefined, headers)).headers.get("x-cherry-tier");
  expect(await tier("")).toBe("l1");
  expect(await tier("?consistency=any&maxStalenessMs=5000")).toBe("l1");
  expect(await tier("?consistency=latest")).toBe("l3");
  expect(await tier("", { "cache-control": "no-cache" })).toBe("l3");
  expect(await tier("", { "cache-control": "max-age=0, no-cache" })).toBe("l3");
});

test.each([
  "?consistency=eventual",
  "?consistency=any&consistency=latest",
  "?maxStalenessMs=-1",
  "?maxStalenessMs=1.5",
  "?maxStalenessMs=99999999",
  "?colour=red",
])("the query %s is refused", async (query) => {
  const { call } = await startServer();
  const answer = await call("GET", itemPath(freshNamespace(), "k") + query);
  expect([answer.status, answer.json?.["code"]]).toEqual([400, "INVALID_ARGUMENT"]);
  expect(query).toContain(String(answer.json?.["field"]));
});
