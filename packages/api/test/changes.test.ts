import { CherryClient } from "@cherry-ai/client";
import type { ChangeEvent } from "@cherry-ai/client";
import { beforeAll, expect, test } from "vitest";
import { freshNamespace, itemPath, nsPath, sharedMemory, startServer } from "./server.ts";

beforeAll(sharedMemory);

const QUICK = { streamPollMs: 10, heartbeatMs: 30 };

/** Reads a stream's text until it has matched, or the stream ends. */
async function readUntil(response: Response, pattern: RegExp): Promise<string> {
  const reader = response.body?.getReader();
  let text = "";
  const decoder = new TextDecoder();
  while (reader !== undefined && !pattern.test(text)) {
    const { done, value } = await reader.read();
    if (done) break;
    text += decoder.decode(value, { stream: true });
  }
  await reader?.cancel();
  return text;
}

async function take(events: AsyncIterable<ChangeEvent>, count: number): Promise<ChangeEvent[]> {
  const taken: ChangeEvent[] = [];
  for await (const event of events) {
    taken.push(event);
    if (taken.length === count) break;
  }
  return taken;
}

test("changes come in order with positions to go on from", async () => {
  const { call, url } = await startServer({ bounds: QUICK });
  const ns = freshNamespace();
  for (const value of [1, 2]) await call("PUT", itemPath(ns, "k"), { value });
  await call("DELETE", itemPath(ns, "k"));
  await call("PUT", itemPath(`${ns}/below`, "other"), { value: 3 });
  const client = new CherryClient({ baseUrl: url, namespace: ns });
  const events = await take(client.changes({ after: "0" }), 3);
  expect(events.map(({ op, key }) => [op, key])).toEqual([
    ["put", "k"],
    ["put", "k"],
    ["remove", "k"],
  ]);
  const versions = events.map(({ version }) => Number(version));
  expect(versions).toEqual(versions.toSorted((a, b) => a - b));
  const rest = await take(client.changes({ after: events[1]?.position ?? "" }), 1);
  expect(rest).toEqual([events[2]]);
  const below = await take(client.changes({ after: events[2]?.position ?? "", below: true }), 1);
  expect(below[0]).toMatchObject({ namespace: `${ns}/below`, key: "other" });
});

test("a clear says whether the namespaces below went too, as the document has it", async () => {
  const { call, url } = await startServer({ bounds: QUICK });
  const ns = freshNamespace();
  const memory = await sharedMemory();
  await call("PUT", itemPath(`${ns}/child`, "k"), { value: 1 });
  await memory.namespace(`${ns}/child`).clear();
  await memory.namespace(ns).clear({ below: true });
  const client = new CherryClient({ baseUrl: url, namespace: `${ns}/child` });
  const [put, alone, whole] = await take(client.changes({ after: "0" }), 3);
  expect(put).not.toHaveProperty("below");
  expect(alone).toMatchObject({ namespace: `${ns}/child`, key: "", op: "clear", below: false });
  expect(whole).toMatchObject({ namespace: ns, key: "", op: "clear", below: true });
  const document = (await call("GET", "/openapi.json")).json as {
    readonly components: { readonly schemas: { readonly Change: { readonly properties: object } } };
  };
  const { position: _position, ...data } = whole ?? { position: "" };
  const described = Object.keys(document.components.schemas.Change.properties);
  expect(described.toSorted()).toEqual(Object.keys(data).toSorted());
});

test("without a position it follows from now on", async () => {
  const { call, url, server } = await startServer({ bounds: QUICK });
  const ns = freshNamespace();
  await call("PUT", itemPath(ns, "old"), { value: 1 });
  const client = new CherryClient({ baseUrl: url, namespace: ns });
  const event = take(client.changes(), 1);
  await expect.poll(() => server.state.streams).toBe(1);
  // The position is taken after the stream is counted: write until it is seen.
  let seen: ChangeEvent[] | undefined;
  void event.then((events) => (seen = events));
  while (seen === undefined) await call("PUT", itemPath(ns, "new"), { value: 2 });
  expect(seen).toMatchObject([{ key: "new" }]);
});

test("Last-Event-ID wins over after", async () => {
  const { call, url } = await startServer({ bounds: QUICK });
  const ns = freshNamespace();
  for (const key of ["a", "b"]) await call("PUT", itemPath(ns, key), { value: 1 });
  const first = await readUntil(await fetch(url + nsPath(ns, "changes?after=0")), /"a"[^]*"b"/);
  const position = /id: (\d+)\ndata: [^\n]*"a"/.exec(first)?.[1] ?? "";
  const response = await fetch(url + nsPath(ns, "changes?after=0"), {
    headers: { "last-event-id": position },
  });
  expect(response.headers.get("content-type")).toBe("text/event-stream");
  const rest = await readUntil(response, /"b"/);
  expect(rest).not.toContain('"key":"a"');
});

test("a quiet stream says that it is alive", async () => {
  const { url } = await startServer({ bounds: QUICK });
  const response = await fetch(url + nsPath(freshNamespace(), "changes"));
  expect(await readUntil(response, /: alive\n\n[^]*: alive\n\n/)).toContain(": following");
});

test("a stream ends when its reader leaves, and when the server drains", async () => {
  const { url, server } = await startServer({ bounds: QUICK });
  const leave = new AbortController();
  const path = url + nsPath(freshNamespace(), "changes");
  await fetch(path, { signal: leave.signal });
  const staying = await fetch(path);
  await expect.poll(() => server.state.streams).toBe(2);
  leave.abort();
  await expect.poll(() => server.state.streams).toBe(1);
  const rest = staying.text();
  await server.drain({ noticeMs: 0, requestsMs: 5_000, closeMs: 1_000 });
  expect(await rest).toContain(": following");
  expect(server.state.streams).toBe(0);
});

test("streams are bounded", async () => {
  const { url, call } = await startServer({ bounds: { ...QUICK, streamsMax: 1 } });
  const path = nsPath(freshNamespace(), "changes");
  const first = await fetch(url + path);
  const second = await call("GET", path);
  expect([second.status, second.json?.["code"], second.json?.["retryable"]]).toEqual([
    503,
    "TOO_MANY_STREAMS",
    true,
  ]);
  expect(second.headers.get("retry-after")).toBe("1");
  await first.body?.cancel();
});

test.each(["changes?after=rubbish", "changes?after=-1", "changes?below=yes", "changes?x=1"])(
  "%s is refused before anything is streamed",
  async (rest) => {
    const { call } = await startServer({ bounds: QUICK });
    const answer = await call("GET", nsPath(freshNamespace(), rest));
    expect([answer.status, answer.json?.["code"]]).toEqual([400, "INVALID_ARGUMENT"]);
  },
);

test("HEAD of a stream is its headers", async () => {
  const { call } = await startServer({ bounds: QUICK });
  const head = await call("HEAD", nsPath(freshNamespace(), "changes"));
  expect([head.status, head.headers.get("content-type")]).toEqual([200, "text/event-stream"]);
});
