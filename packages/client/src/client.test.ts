import { expect, test } from "vitest";
import { CherryClient } from "./client.ts";
import { CherryError } from "./cherry-error.ts";

interface Sent {
  readonly method: string;
  readonly url: string;
  readonly headers: { readonly [name: string]: string };
  readonly body: string | undefined;
}

/** A client in front of prepared answers, and what it has sent. */
function clientOf(
  answers: readonly Response[],
  options: { readonly token?: string | (() => string) } = {},
): { readonly client: CherryClient; readonly sent: Sent[] } {
  const sent: Sent[] = [];
  const queue = [...answers];
  const fakeFetch: typeof fetch = (input, init) => {
    sent.push({
      method: init?.method ?? "GET",
      url: input instanceof Request ? input.url : input.toString(),
      headers: Object.fromEntries(new Headers(init?.headers)),
      body: typeof init?.body === "string" ? init.body : undefined,
    });
    const answer = queue.shift();
    return answer === undefined
      ? Promise.reject(new TypeError("no route"))
      : Promise.resolve(answer);
  };
  return { client: new CherryClient({ baseUrl: "http://x/", fetch: fakeFetch, ...options }), sent };
}

function problem(code: string, status: number, retryable = false): Response {
  return Response.json({ code, detail: `${code}!`, status, retryable, requestId: "r" }, { status });
}

const receipt = (): Response => Response.json({ key: "k", version: "1", tiers: {} });

test("keys and namespaces become one URL segment each", async () => {
  const { client, sent } = clientOf([receipt(), receipt(), receipt()]);
  await client.namespace(["acme", "agent 7"]).put("a/b?c#%", 1);
  await client.namespace("a/b").namespace("c").put("k", 1);
  await client.put("k", 1);
  expect(sent.map(({ url }) => url)).toEqual([
    "http://x/v1/namespaces/acme%2Fagent%207/items/a%2Fb%3Fc%23%25",
    "http://x/v1/namespaces/a%2Fb%2Fc/items/k",
    "http://x/v1/namespaces/%2F/items/k",
  ]);
});

test.each(["", ".", "..", "\ud800"])("the key %j never leaves the client", async (key) => {
  const { client, sent } = clientOf([receipt()]);
  await expect(async () => client.put(key, 1)).rejects.toMatchObject({ code: "INVALID_KEY" });
  expect(sent).toEqual([]);
});

test.each(["a//b", "/a", "..", "a/."])("the namespace %j is refused", (path) => {
  const { client } = clientOf([]);
  expect(() => client.namespace(path)).toThrow(CherryError);
});

test("conditions, idempotency and the token are headers", async () => {
  const { client, sent } = clientOf([receipt(), receipt(), receipt(), receipt()], {
    token: () => "jwt",
  });
  await client.put("k", 1, { ifVersion: null, ttlSeconds: 5 });
  await client.put("k", 1, { ifVersion: "*", idempotencyKey: "i" });
  await client.delete("k", { ifVersion: "42" });
  await client.patch("k", { a: null });
  expect(sent[0]).toMatchObject({
    method: "PUT",
    headers: { "if-none-match": "*", authorization: "Bearer jwt" },
    body: '{"value":1,"ttlSeconds":5}',
  });
  expect(sent[1]?.headers).toMatchObject({ "if-match": "*", "idempotency-key": "i" });
  expect(sent[2]).toMatchObject({ method: "DELETE", headers: { "if-match": '"42"' } });
  expect(sent[3]?.headers["content-type"]).toBe("application/merge-patch+json");
  expect(sent[3]?.headers["if-match"]).toBeUndefined();
});

test("only the server's own NOT_FOUND is an absence", async () => {
  const { client } = clientOf([
    problem("NOT_FOUND", 404),
    problem("ROUTE_NOT_FOUND", 404),
    new Response("<html>not here</html>", { status: 404 }),
    problem("STORE_UNAVAILABLE", 503, true),
  ]);
  expect(await client.get("k")).toBeUndefined();
  await expect(client.get("k")).rejects.toMatchObject({ code: "ROUTE_NOT_FOUND", status: 404 });
  await expect(client.get("k")).rejects.toMatchObject({ code: "UNEXPECTED_RESPONSE" });
  await expect(client.get("k")).rejects.toMatchObject({
    code: "STORE_UNAVAILABLE",
    retryable: true,
    problem: { requestId: "r" },
  });
});

test("no answer is a retryable NETWORK error; an abort stays an abort", async () => {
  const { client } = clientOf([]);
  await expect(client.get("k")).rejects.toMatchObject({
    code: "NETWORK",
    status: 0,
    retryable: true,
  });
  const signal = AbortSignal.abort(new Error("enough"));
  const real = new CherryClient({ baseUrl: "http://127.0.0.1:1" });
  await expect(real.get("k", { signal })).rejects.toThrow("enough");
});

test("searchAll follows cursors", async () => {
  const { client, sent } = clientOf([
    Response.json({ items: [{ key: "a" }], nextCursor: "c1" }),
    Response.json({ items: [{ key: "b" }] }),
  ]);
  const keys: string[] = [];
  for await (const item of client.searchAll({ pattern: "*" })) keys.push(item.key);
  expect(keys).toEqual(["a", "b"]);
  expect(sent[1]?.body).toBe('{"pattern":"*","cursor":"c1"}');
});

/** A response whose text comes in pieces of `size` bytes. */
function inPieces(text: string, size: number): Response {
  const bytes = new TextEncoder().encode(text);
  return new Response(
    new ReadableStream<Uint8Array>({
      start(controller) {
        for (let at = 0; at < bytes.length; at += size)
          controller.enqueue(bytes.subarray(at, at + size));
        controller.close();
      },
    }),
  );
}

test.each([1, 3, 1000])("lines and events are the same in pieces of %i bytes", async (size) => {
  const { client } = clientOf([
    inPieces('{"key":"é","value":1}\n{"key":"b","value":2}\n', size),
    inPieces(': hi\n\nid: 5\ndata: {"key":"é","version":"1"}\n\nid: 9\n\n: alive\n\n', size),
  ]);
  const lines: unknown[] = [];
  for await (const line of client.export()) lines.push(line);
  expect(lines).toEqual([
    { key: "é", value: 1 },
    { key: "b", value: 2 },
  ]);
  const events: unknown[] = [];
  for await (const event of client.changes()) events.push(event);
  expect(events).toEqual([{ position: "5", key: "é", version: "1" }]);
});

test("an export that ends inside a line is an error", async () => {
  const { client } = clientOf([inPieces('{"key":"a","value":1}\n{"key":', 7)]);
  const read = async (): Promise<void> => {
    for await (const _line of client.export());
  };
  await expect(read()).rejects.toMatchObject({ code: "UNEXPECTED_RESPONSE", retryable: true });
});

test("import sends 1,000 lines a request and counts them through", async () => {
  const { client, sent } = clientOf([
    Response.json({ imported: 1000, lines: 1000, failed: [] }),
    Response.json({ imported: 4, lines: 5, failed: [{ line: 2, code: "INVALID_KEY" }] }),
  ]);
  const lines = Array.from({ length: 1005 }, (_, i) => ({ key: `k${i}`, value: i }));
  expect(await client.import(lines)).toEqual({
    imported: 1004,
    lines: 1005,
    failed: [{ line: 1002, code: "INVALID_KEY" }],
  });
  expect(sent.map(({ body }) => body?.trimEnd().split("\n").length)).toEqual([1000, 5]);
});
