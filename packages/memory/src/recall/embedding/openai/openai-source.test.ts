import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { IncomingHttpHeaders, ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { systemClock } from "../../../model/clock.ts";
import { ManualClock } from "../../../testing/manual-clock.ts";
import { OpenAiSource } from "./openai-source.ts";
import type { OpenAiOptions } from "./openai-source.ts";
import { fixedSecret, secretInFile } from "./secret.ts";

const KEY = "sk-hunter2-hunter2";
const REQUEST = { kind: "passage", signal: new AbortController().signal } as const;

interface Asked {
  readonly url: string | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: {
    readonly model: string;
    readonly input: readonly string[];
    readonly [more: string]: unknown;
  };
}

type Handler = (response: ServerResponse, asked: Asked) => void;

/** A real endpoint whose answers are these, one after the other; the last one stays. */
async function endpoint(
  ...handlers: readonly Handler[]
): Promise<{ readonly url: string; readonly asked: readonly Asked[] }> {
  const asked: Asked[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const body = JSON.parse(Buffer.concat(chunks).toString("utf8")) as Asked["body"];
      const handler = handlers[Math.min(asked.length, handlers.length - 1)];
      asked.push({ url: request.url, headers: request.headers, body });
      const last = asked.at(-1);
      if (last !== undefined) handler?.(response, last);
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  onTestFinished(
    () =>
      new Promise<void>((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  );
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return { url: `http://127.0.0.1:${address.port}/v1`, asked };
}

function json(
  body: unknown,
  status = 200,
  headers: { readonly [name: string]: string } = {},
): Handler {
  return (response) => {
    response.writeHead(status, { "content-type": "application/json", ...headers });
    response.end(JSON.stringify(body));
  };
}

function raw(body: string, status = 200): Handler {
  return (response) => {
    response.writeHead(status);
    response.end(body);
  };
}

/** Answers as it should: the vector of a text says its length. */
const sound: Handler = (response, { body }) => {
  const data = body.input.map((text, index) => ({ index, embedding: [text.length, 0, 0] }));
  // Any order is allowed.
  json({ data: data.toReversed(), usage: { total_tokens: 7 } })(response, {
    body,
    headers: {},
    url: "",
  });
};

function vectors(...embeddings: readonly unknown[]): Handler {
  return json({ data: embeddings.map((embedding, index) => ({ index, embedding })) });
}

/** Time stands still, or every sleep ends at once and is written down. */
function quickClock(): { readonly clock: ManualClock; readonly slept: number[] } {
  const slept: number[] = [];
  const clock = new ManualClock();
  const sleep = clock.sleep.bind(clock);
  clock.sleep = (delayMs, signal) => {
    // The timeout of a request waits; a pause between requests does not.
    if (delayMs === TIMEOUT_MS) return sleep(delayMs, signal);
    slept.push(delayMs);
    return Promise.resolve();
  };
  return { clock, slept };
}

const TIMEOUT_MS = 4321;

function source(url: string, options: Partial<OpenAiOptions> = {}): OpenAiSource {
  return new OpenAiSource({
    url,
    model: "m",
    dimensions: 3,
    apiKey: fixedSecret(KEY),
    clock: quickClock().clock,
    random: () => 1,
    timeoutMs: TIMEOUT_MS,
    ...options,
  });
}

test("asks as OpenAI is asked, and gives the vectors in the order of the texts", async () => {
  const { url, asked } = await endpoint(sound);
  const answer = await source(`${url}/?version=1`).embedBatch(["a", "bcd"], REQUEST);
  expect(answer.vectors).toEqual([Float32Array.of(1, 0, 0), Float32Array.of(1, 0, 0)]);
  expect(answer.tokens).toBe(7);
  expect(asked).toHaveLength(1);
  expect(asked[0]).toMatchObject({
    url: "/v1/embeddings?version=1",
    headers: { authorization: `Bearer ${KEY}`, "content-type": "application/json" },
    body: { model: "m", input: ["a", "bcd"], encoding_format: "float" },
  });
  expect(asked[0]?.body).not.toHaveProperty("dimensions");
});

test("a model that can be shortened is asked for the configured dimensions", async () => {
  const { url, asked } = await endpoint(sound);
  await source(url, { model: "text-embedding-3-small" }).embedBatch(["a"], REQUEST);
  expect(asked[0]?.body["dimensions"]).toBe(3);
});

test("an endpoint that needs no key is sent none", async () => {
  const { url, asked } = await endpoint(sound);
  await source(url, { apiKey: fixedSecret(undefined) }).embedBatch(["a"], REQUEST);
  expect(asked[0]?.headers).not.toHaveProperty("authorization");
});

test("a key in a file is the one that lies there now; an empty file changes nothing", async () => {
  const folder = mkdtempSync(join(tmpdir(), "cherry-key-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, "key");
  const { url, asked } = await endpoint(sound);
  const keyed = source(url, { apiKey: secretInFile(file) });
  for (const text of ["first\n", "", "second\n"]) {
    writeFileSync(file, text);
    await keyed.embedBatch(["a"], REQUEST);
  }
  const sent = asked.map(({ headers }) => headers.authorization);
  expect(sent).toEqual(["Bearer first", "Bearer first", "Bearer second"]);
});

describe("what may pass is tried again", () => {
  test.each([429, 500, 503, 408])("%i, with a pause that doubles", async (status) => {
    const { url, asked } = await endpoint(json({}, status), json({}, status), sound);
    const { clock, slept } = quickClock();
    await source(url, { clock }).embedBatch(["a"], REQUEST);
    expect(asked).toHaveLength(3);
    expect(slept).toEqual([250, 500]);
  });

  test("a connection that is cut", async () => {
    const cut: Handler = (response) => response.destroy();
    const { url, asked } = await endpoint(cut, sound);
    await source(url).embedBatch(["a"], REQUEST);
    expect(asked).toHaveLength(2);
  });

  test("but not for ever", async () => {
    const { url, asked } = await endpoint(json({}, 500));
    await expect(source(url).embedBatch(["a"], REQUEST)).rejects.toMatchObject({
      code: "EMBEDDING_UNAVAILABLE",
      message: expect.stringContaining("500"),
    });
    expect(asked).toHaveLength(4);
  });

  test("after as many seconds as were asked for, with chance on top", async () => {
    const { url } = await endpoint(json({}, 429, { "retry-after": "7" }), sound);
    const { clock, slept } = quickClock();
    await source(url, { clock }).embedBatch(["a"], REQUEST);
    expect(slept).toEqual([7250]);
  });

  test("at the date that was asked for", async () => {
    const { clock, slept } = quickClock();
    const date = new Date(clock.wallMs() + 5000).toUTCString();
    const { url } = await endpoint(json({}, 503, { "retry-after": date }), sound);
    await source(url, { clock }).embedBatch(["a"], REQUEST);
    expect(slept).toEqual([5250]);
  });

  test("unless the wait that was asked for is too long", async () => {
    const { url, asked } = await endpoint(json({}, 429, { "retry-after": "3600" }), sound);
    await expect(source(url).embedBatch(["a"], REQUEST)).rejects.toMatchObject({
      code: "EMBEDDING_UNAVAILABLE",
    });
    expect(asked).toHaveLength(1);
  });
});

describe("what will not pass is not tried again", () => {
  test.each([
    [400, "EMBEDDING_REFUSED"],
    [413, "EMBEDDING_REFUSED"],
    [401, "EMBEDDING_UNAVAILABLE"],
    [404, "EMBEDDING_UNAVAILABLE"],
  ])("%i is %s", async (status, code) => {
    const { url, asked } = await endpoint(json({ error: { message: KEY } }, status));
    await expect(source(url).embedBatch(["a"], REQUEST)).rejects.toMatchObject({ code });
    expect(asked).toHaveLength(1);
  });

  test("a redirection is not followed: the key is for this endpoint", async () => {
    const other = await endpoint(sound);
    const { url } = await endpoint(json({}, 307, { location: `${other.url}/embeddings` }));
    await expect(source(url).embedBatch(["a"], REQUEST)).rejects.toMatchObject({
      code: "EMBEDDING_UNAVAILABLE",
    });
    expect(other.asked).toHaveLength(0);
  });
});

describe("an answer that is no answer is EMBEDDING_INVALID", () => {
  test.each<[string, Handler]>([
    ["nothing", raw("")],
    ["no JSON", raw("<html>busy</html>")],
    ["other JSON", json({ error: "busy" })],
    ["null", json(null)],
    ["fewer vectors", vectors([1, 2, 3])],
    ["more vectors", vectors([1, 2, 3], [1, 2, 3], [1, 2, 3])],
    ["another dimension", vectors([1, 2], [1, 2])],
    ["no numbers", vectors([1, 2, "3"], [1, 2, 3])],
    ["numbers that JSON has no form for", raw('{"data":[{"index":0,"embedding":[1,NaN,2]}]}')],
    ["null in a vector", vectors([1, null, 2], [1, 2, 3])],
    ["numbers beyond all bounds", vectors([1e300, 1, 1], [1, 2, 3])],
    ["zeros", vectors([0, 0, 0], [1, 2, 3])],
    ["text in place of a vector", vectors("AAAA", [1, 2, 3])],
    [
      "two vectors for one text",
      json({
        data: [
          { index: 0, embedding: [1, 2, 3] },
          { index: 0, embedding: [1, 2, 3] },
        ],
      }),
    ],
    [
      "a vector for no text",
      json({
        data: [
          { index: 0, embedding: [1, 2, 3] },
          { index: 5, embedding: [1, 2, 3] },
        ],
      }),
    ],
  ])("%s", async (_, handler) => {
    const { url, asked } = await endpoint(handler);
    await expect(source(url).embedBatch(["a", "b"], REQUEST)).rejects.toMatchObject({
      code: "EMBEDDING_INVALID",
    });
    expect(asked).toHaveLength(1);
  });

  test("and one that does not end is not read to its end", async () => {
    const { url } = await endpoint((response) => {
      const more = (): void => {
        while (!response.destroyed && response.write(" ".repeat(10_000)));
      };
      response.on("drain", more);
      more();
    });
    await expect(source(url).embedBatch(["a"], REQUEST)).rejects.toMatchObject({
      code: "EMBEDDING_INVALID",
      message: expect.stringContaining("more than"),
    });
  });

  test("and one of another dimension names the setting", async () => {
    const { url } = await endpoint(vectors([1, 2]));
    await expect(source(url).embedBatch(["a"], REQUEST)).rejects.toThrow(
      "CHERRY_EMBEDDINGS_DIMENSIONS",
    );
  });
});

describe("an endpoint that does not answer", () => {
  test("is waited for as long as configured", async () => {
    let reached = (): void => {};
    const arrived = new Promise<void>((resolve) => {
      reached = resolve;
    });
    const { url } = await endpoint(() => reached());
    const { clock } = quickClock();
    const answer = source(url, { clock }).embedBatch(["a"], {
      ...REQUEST,
      signal: new AbortController().signal,
    });
    const ended = expect(answer).rejects.toMatchObject({
      code: "EMBEDDING_UNAVAILABLE",
      message: expect.stringContaining(`${TIMEOUT_MS} ms`),
    });
    await arrived;
    // The first attempt and the three after it.
    for (let attempt = 0; attempt < 4; attempt++) {
      while (clock.sleeping === 0) await systemClock.sleep(1);
      await clock.advance(TIMEOUT_MS);
    }
    await ended;
  });

  test("is left when the caller gives up, with the caller's reason", async () => {
    const stop = new AbortController();
    const { url, asked } = await endpoint(() => stop.abort(new Error("enough")));
    const request = { kind: "query", signal: stop.signal } as const;
    await expect(source(url).embedBatch(["a"], request)).rejects.toThrow("enough");
    expect(asked).toHaveLength(1);
  });

  test("is named when it is not there", async () => {
    await expect(source("http://127.0.0.1:1/v1").embedBatch(["a"], REQUEST)).rejects.toMatchObject({
      code: "EMBEDDING_UNAVAILABLE",
      message: expect.stringContaining("http://127.0.0.1:1"),
    });
  });
});

test("no error shows the key, the texts or what the endpoint said", async () => {
  const secret = "a text of somebody's";
  const echo: Handler = (response, { headers, body }) =>
    json({ error: { message: `${headers.authorization} ${body.input.join()}` } }, 400)(response, {
      headers,
      body,
      url: "",
    });
  for (const handler of [echo, raw(secret, 500), raw(secret), vectors([secret, 1, 2])]) {
    const { url } = await endpoint(handler);
    const error: unknown = await source(url)
      .embedBatch([secret], REQUEST)
      .catch((reason: unknown) => reason);
    const shown =
      JSON.stringify(error, Object.getOwnPropertyNames(error)) + String((error as Error).cause);
    expect(shown).not.toContain("hunter2");
    expect(shown).not.toContain("somebody");
  }
});
