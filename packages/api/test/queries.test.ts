import { beforeAll, expect, test } from "vitest";
import type { MemoryManager } from "@cherry-ai/memory";
import { freshNamespace, itemPath, nsPath, sharedMemory, startServer } from "./server.ts";

beforeAll(sharedMemory);

const sets = (count: number, first = 0): object[] =>
  Array.from({ length: count }, (_, i) => ({
    type: "set",
    key: `k:${String(first + i).padStart(4, "0")}`,
    value: { i },
    metadata: { half: i % 2 },
  }));

test("a batch answers in order; one that fails leaves the others", async () => {
  const { call } = await startServer();
  const path = nsPath(freshNamespace(), "batch");
  await call("POST", path, { operations: sets(3) });
  const answer = await call("POST", path, {
    operations: [
      { type: "get", key: "k:0000" },
      { type: "get", key: "none" },
      { type: "exists", key: "k:0001" },
      { type: "set", key: "k:0001", value: 9, ifVersion: "999999" },
      { type: "delete", key: "k:0002" },
      { type: "touch", key: "k:0000", ttlSeconds: 60 },
    ],
  });
  expect(answer.status).toBe(200);
  expect(answer.json?.["results"]).toMatchObject([
    { success: true, value: { i: 0 } },
    { found: false },
    { value: true },
    { success: false, error: { code: "VERSION_CONFLICT" } },
    { existed: true },
    { success: true },
  ]);
});

test("an atomic batch that fails is a 409 with the index and changes nothing", async () => {
  const { call } = await startServer();
  const ns = freshNamespace();
  const answer = await call("POST", nsPath(ns, "batch"), {
    operations: [
      { type: "set", key: "a", value: 1 },
      { type: "set", key: "b", value: 2, ifVersion: "5" },
    ],
    atomic: true,
  });
  expect([answer.status, answer.json?.["code"], answer.json?.["index"]]).toEqual([
    409,
    "BATCH_ABORTED",
    1,
  ]);
  expect((await call("GET", itemPath(ns, "a"))).status).toBe(404);
});

test("search pages by cursor and explains itself", async () => {
  const { call } = await startServer();
  const ns = freshNamespace();
  await call("POST", nsPath(ns, "batch"), { operations: sets(25) });
  const keys: string[] = [];
  let cursor: string | undefined;
  do {
    const { json } = await call("POST", nsPath(ns, "search"), {
      pattern: "k:*",
      limit: 10,
      ...(cursor === undefined ? {} : { cursor }),
    });
    const page = json as {
      readonly items: readonly { readonly key: string }[];
      readonly nextCursor?: string;
    };
    keys.push(...page.items.map((item) => item.key));
    cursor = page.nextCursor;
  } while (cursor !== undefined);
  expect(new Set(keys).size).toBe(25);
  const filtered = await call("POST", nsPath(ns, "search"), {
    metadataFilter: { half: 1 },
    explain: true,
  });
  expect(filtered.json?.["items"]).toHaveLength(12);
  expect(filtered.json?.["explain"]).toMatchObject({ access: expect.any(String) });
  const found = await call("POST", nsPath(ns, "search"), { query: "words", mode: "keyword" });
  expect([found.status, found.json?.["items"]]).toEqual([200, []]);
});

test("forget tells on a dry run, then does", async () => {
  const { call } = await startServer();
  const ns = freshNamespace();
  await call("POST", nsPath(ns, "batch"), { operations: sets(10) });
  const selection = { metadataFilter: { half: 1 } };
  const dry = await call("POST", nsPath(ns, "forget"), { ...selection, dryRun: true });
  expect(dry.json).toMatchObject({ forgotten: 5, dryRun: true });
  expect((await call("POST", nsPath(ns, "forget"), selection)).json).toMatchObject({
    forgotten: 5,
    dryRun: false,
  });
  expect((await call("POST", nsPath(ns, "search"), {})).json?.["items"]).toHaveLength(5);
});

test("a large forget is a 202 whose job can be followed, but not from another namespace", async () => {
  const { call, url } = await startServer({ bounds: { forgetItemsMax: 20 } });
  const ns = `${freshNamespace()}/x`;
  // More than the memory forgets in one transaction.
  for (const first of [0, 1000])
    await call("POST", nsPath(ns, "batch"), { operations: sets(1000, first) });
  const answer = await call("POST", nsPath(ns, "forget"), { pattern: "k:*" });
  expect(answer.status).toBe(202);
  const location = answer.headers.get("location") ?? "";
  expect(location).toBe(nsPath(ns, `jobs/${String(answer.json?.["job"])}`));
  await expect
    .poll(async () => (await call("GET", location)).json?.["state"], { timeout: 15_000 })
    .toBe("done");
  expect((await call("GET", location)).json).toMatchObject({ namespace: ns, kind: "forget" });
  expect((await call("POST", nsPath(ns, "search"), {})).json?.["items"]).toEqual([]);
  const elsewhere = new URL(nsPath("other", `jobs/${String(answer.json?.["job"])}`), url);
  expect((await call("GET", elsewhere.pathname)).status).toBe(404);
  expect((await call("GET", nsPath(ns, "jobs/rubbish"))).status).toBe(404);
});

test("export gives a line an item in key order, and import takes them", async () => {
  const { call } = await startServer();
  const [from, to] = [freshNamespace(), freshNamespace()];
  await call("POST", nsPath(from, "batch"), { operations: sets(700) });
  await call("PUT", itemPath(`${from}/below`, "é\n"), {
    value: "é\n",
    tags: ["t"],
    ttlSeconds: 600,
  });
  const one = await call("GET", nsPath(from, "export"));
  const lines = one.text.trimEnd().split("\n");
  expect([one.status, lines.length]).toEqual([200, 700]);
  const keys = lines.map((line) => (JSON.parse(line) as { readonly key: string }).key);
  expect(keys).toEqual(keys.toSorted());
  const rest = await call("GET", nsPath(from, "export?after=k%3A0697"));
  expect(rest.text.trimEnd().split("\n")).toHaveLength(2);
  const all = await call("GET", nsPath(from, "export?below=true"));
  const ndjson = { "content-type": "application/x-ndjson" };
  const first = await call("POST", nsPath(to, "import"), all.text, ndjson);
  expect([first.status, first.json]).toEqual([200, { imported: 701, lines: 701, failed: [] }]);
  expect((await call("POST", nsPath(to, "import"), all.text, ndjson)).status).toBe(200);
  const copied = await call("GET", itemPath(`${to}/below`, "é\n"));
  const original = await call("GET", itemPath(`${from}/below`, "é\n"));
  for (const name of ["value", "tags", "expiresAt"])
    expect(copied.json?.[name]).toEqual(original.json?.[name]);
  expect((await call("GET", nsPath(freshNamespace(), "export"))).text).toBe("");
  const head = await call("HEAD", nsPath(from, "export"));
  expect([head.status, head.text]).toEqual([200, ""]);
  expect((await call("GET", nsPath(from, "export?after="))).json?.["code"]).toBe("INVALID_KEY");
});

test("import names the lines that failed and holds back their thousand", async () => {
  const { call } = await startServer();
  const ns = freshNamespace();
  const lines = [
    ...Array.from({ length: 1000 }, (_, i) => JSON.stringify({ key: `a${i}`, value: i })),
    '{"key":"b","value":1}',
    "not json",
    `{"key":"big","value":"${"x".repeat(4 * 1024 * 1024)}"}`,
    '{"key":"odd","value":1,"colour":"red"}',
  ].join("\n");
  const answer = await call("POST", nsPath(ns, "import"), lines, {
    "content-type": "application/x-ndjson",
  });
  expect(answer.json).toEqual({
    imported: 1000,
    lines: 1004,
    failed: [
      { line: 1001, code: "BATCH_ABORTED" },
      { line: 1002, code: "INVALID_ARGUMENT" },
      { line: 1003, code: "VALUE_TOO_LARGE" },
      { line: 1004, code: "INVALID_ARGUMENT" },
    ],
  });
  expect((await call("GET", itemPath(ns, "b"))).status).toBe(404);
  expect((await call("POST", nsPath(ns, "import"), "{}")).status).toBe(415);
});

test("an import that breaks off imports nothing of its unfinished thousand", async () => {
  const { call, url, server } = await startServer();
  const ns = freshNamespace();
  const leave = new AbortController();
  const lines = new ReadableStream<Uint8Array>({
    start: (controller) => controller.enqueue(Buffer.from('{"key":"a","value":1}\n{"key":"b"')),
  });
  const sent = fetch(url + nsPath(ns, "import"), {
    method: "POST",
    headers: { "content-type": "application/x-ndjson" },
    body: lines,
    duplex: "half",
    signal: leave.signal,
  });
  await expect.poll(() => server.state.inFlight).toBe(1);
  leave.abort();
  await expect(sent).rejects.toThrow();
  await expect.poll(() => server.state.inFlight).toBe(0);
  expect((await call("GET", itemPath(ns, "a"))).status).toBe(404);
});

test("an export whose store fails half way is cut, not ended", async () => {
  const memory = await sharedMemory();
  const failing = new Proxy(memory, {
    get: (target, name) => {
      if (name === "namespace") return () => failing;
      if (name === "close") return () => Promise.resolve();
      if (name === "exportItems")
        return async function* () {
          for (let i = 0; i < 20_000; i += 1) yield { key: `k${i}`, value: "x".repeat(100) };
          throw new Error("the disk is gone");
        };
      const member: unknown = Reflect.get(target, name, target);
      return typeof member === "function" ? member.bind(target) : member;
    },
  }) as MemoryManager;
  const { url } = await startServer({ memory: failing });
  const response = await fetch(`${url}/v1/namespaces/a/export`);
  expect(response.status).toBe(200);
  await expect(response.text()).rejects.toThrow();
});

test("a foreign error is a 500 that says nothing of it", async () => {
  const memory = await sharedMemory();
  const failing = new Proxy(memory, {
    get: (target, name) => {
      if (name === "close") return () => Promise.resolve();
      if (name === "getRaw") return () => Promise.reject(new Error("password=hunter2"));
      const member: unknown = Reflect.get(target, name, target);
      return typeof member === "function" ? member.bind(target) : member;
    },
  }) as MemoryManager;
  const { call } = await startServer({ memory: failing });
  const answer = await call("GET", itemPath("a", "k"));
  expect([answer.status, answer.json?.["code"]]).toEqual([500, "INTERNAL"]);
  expect(answer.text).not.toContain("hunter2");
  expect(answer.text).not.toContain("stack");
});
