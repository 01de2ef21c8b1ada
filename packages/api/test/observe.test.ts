import { Writable } from "node:stream";
import { MemoryError } from "@cherry-ai/memory";
import type { MemoryManager, RawItem } from "@cherry-ai/memory";
import { pino } from "pino";
import type { Logger } from "pino";
import { beforeAll, expect, test } from "vitest";
import { freshNamespace, itemPath, sharedMemory, startServer } from "./server.ts";

beforeAll(sharedMemory);

/** The shared memory, whose reads over HTTP do something else. */
async function reading(getRaw: () => unknown): Promise<MemoryManager> {
  const memory = await sharedMemory();
  return new Proxy(memory, {
    get: (target, name) => {
      if (name === "close") return () => Promise.resolve();
      if (name === "getRaw") return getRaw;
      const member: unknown = Reflect.get(target, name, target);
      return typeof member === "function" ? member.bind(target) : member;
    },
  });
}

const ITEM: RawItem = {
  namespace: "a",
  key: "k",
  valueJson: Buffer.from("1"),
  attributesJson: '"metadata":{},"tags":[]',
  tier: "l1",
  version: "7",
  createdAt: "2026-01-01T00:00:00.000Z",
  updatedAt: "2026-01-01T00:00:00.000Z",
  accessedAt: "2026-01-01T00:00:00.000Z",
  accessCount: 1,
  sizeBytes: 1,
  checksum: "00000000",
};

test("a copy that is served while the store is away says so, and how old it may be", async () => {
  const memory = await reading(() => ({ ...ITEM, degradedAgeMs: 1234 }));
  const { call } = await startServer({ memory });
  const { headers } = await call("GET", itemPath("a", "k"));
  expect(headers.get("x-cherry-degraded")).toBe("l3");
  expect(headers.get("x-cherry-age-ms")).toBe("1234");
  const sound = await startServer({ memory: await reading(() => ITEM) });
  expect((await sound.call("GET", itemPath("a", "k"))).headers.has("x-cherry-degraded")).toBe(
    false,
  );
});

test("a store that is away is a retryable 503, damage a 500, and both keep their code", async () => {
  const away = new MemoryError("STORE_UNAVAILABLE", "no connection");
  const first = await startServer({ memory: await reading(() => Promise.reject(away)) });
  const answer = await first.call("GET", itemPath("a", "k"));
  expect([answer.status, answer.json?.["code"], answer.json?.["retryable"]]).toEqual([
    503,
    "STORE_UNAVAILABLE",
    true,
  ]);
  expect(answer.headers.get("retry-after")).toBe("1");
  const damaged = new MemoryError("CORRUPT_VALUE", "checksum");
  const second = await startServer({ memory: await reading(() => Promise.reject(damaged)) });
  const broken = await second.call("GET", itemPath("a", "k"));
  expect([broken.status, broken.json?.["code"]]).toEqual([500, "CORRUPT_VALUE"]);
});

function capturing(level: string): { readonly logger: Logger; text(): string } {
  let text = "";
  const stream = new Writable({
    write: (chunk, _encoding, done) => {
      text += String(chunk);
      done();
    },
  });
  return { logger: pino({ level }, stream), text: () => text };
}

test("logs name routes and outcomes, never keys, values, bodies or tokens", async () => {
  const { logger, text } = capturing("trace");
  const { call } = await startServer({ logger });
  const path = itemPath(freshNamespace(), "key-of-someone");
  const headers = {
    authorization: "Bearer token-of-someone",
    "idempotency-key": "idem-of-someone",
  };
  await call(
    "PUT",
    path,
    { value: "value-of-someone", metadata: { m: "meta-of-someone" } },
    headers,
  );
  await call("GET", path, undefined, headers);
  await call("PUT", path, '{"value":"half-of-someone', headers);
  await call("GET", `${path}?x=query-of-someone`);
  expect(text()).toContain('"route":"/v1/namespaces/{ns}/items/{key}"');
  expect(text()).toContain('"status":400');
  expect(text()).not.toContain("of-someone");
});

test("at the default level a successful request is not logged, a slow one is", async () => {
  const quick = capturing("info");
  const first = await startServer({ logger: quick.logger });
  await first.call("GET", "/livez");
  expect(quick.text()).toBe("");
  const slow = capturing("info");
  const second = await startServer({ logger: slow.logger, bounds: { slowRequestMs: -1 } });
  await second.call("GET", "/livez");
  expect(slow.text()).toContain("slow request");
});

test("a failure is logged once under the id that the caller got", async () => {
  const { logger, text } = capturing("info");
  const memory = await reading(() => Promise.reject(new Error("the disk is gone")));
  const { call } = await startServer({ logger, memory });
  const answer = await call("GET", itemPath("a", "k"));
  expect(answer.status).toBe(500);
  const lines = text().trimEnd().split("\n");
  expect(lines).toHaveLength(1);
  expect(lines[0]).toContain(String(answer.json?.["requestId"]));
  expect(lines[0]).toContain("the disk is gone");
});
