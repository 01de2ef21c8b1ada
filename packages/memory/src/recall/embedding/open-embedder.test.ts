import { createServer } from "node:http";
import { modelsAvailable, sentenceModel } from "@cherry-ai/services";
import { describe, expect, onTestFinished, test } from "vitest";
import { noMetrics } from "../../metrics/metrics.ts";
import { systemClock } from "../../model/clock.ts";
import { openEmbedder } from "./open-embedder.ts";
import type { EmbeddingsConfig } from "./settings.ts";

const DEFAULTS: EmbeddingsConfig = {
  provider: "lexical",
  timeoutMs: 5_000,
  rate: {},
  budget: {},
  cacheSeconds: 0,
};
const AROUND = { clock: systemClock, random: () => 0, metrics: noMetrics };
const QUERY = { kind: "query", namespace: "" } as const;

const missing = modelsAvailable();
const note = missing === undefined ? "" : ` [skipped: ${missing}]`;

test("without a setting words are embedded, without a service", async () => {
  const embedder = await openEmbedder(DEFAULTS, AROUND);
  const [vector] = await embedder.embed(["cherry"], QUERY);
  expect(vector).toHaveLength(embedder.dimensions);
  await embedder.close();
});

test("an endpoint that is away is no reason not to start, and a clear error later", async () => {
  const config = {
    ...DEFAULTS,
    provider: "openai:http://127.0.0.1:1/v1",
    model: "m",
    dimensions: 3,
  };
  const embedder = await openEmbedder(config, {
    ...AROUND,
    clock: { ...systemClock, sleep: (_, signal) => systemClock.sleep(0, signal) },
  });
  await expect(embedder.embed(["a"], QUERY)).rejects.toMatchObject({
    code: "EMBEDDING_UNAVAILABLE",
    retryable: true,
  });
  await embedder.close();
});

test("limits, budget and price are those of the configuration", async () => {
  const server = createServer((request, response) => {
    request.resume();
    request.on("end", () => {
      const data = [{ index: 0, embedding: [1, 0, 0] }];
      response.end(JSON.stringify({ data, usage: { total_tokens: 60 } }));
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  const port = typeof address === "object" ? address?.port : undefined;
  const spent: number[] = [];
  const embedder = await openEmbedder(
    {
      ...DEFAULTS,
      provider: `openai:http://127.0.0.1:${port}/v1`,
      model: "m",
      dimensions: 3,
      budget: { tokensPerDay: 100, usdPerMillionTokens: 2 },
    },
    { ...AROUND, metrics: { ...noMetrics, embedded: ({ usd }) => spent.push(usd) } },
  );
  await embedder.embed(["a"], QUERY);
  await embedder.embed(["b"], QUERY);
  await expect(embedder.embed(["c"], QUERY)).rejects.toMatchObject({
    code: "EMBEDDING_BUDGET_SPENT",
  });
  expect(spent).toEqual([0.00012, 0.00012]);
  await embedder.close();
});

test("a folder without a model is refused at start", async () => {
  const config = { ...DEFAULTS, provider: "local:/none/at/all" };
  await expect(openEmbedder(config, AROUND)).rejects.toMatchObject({ code: "INVALID_CONFIG" });
});

test("dimensions that the model does not have are refused at start", async () => {
  const config = { ...DEFAULTS, dimensions: 1024 };
  await expect(openEmbedder(config, AROUND)).rejects.toThrow("384 dimensions");
});

describe.skipIf(missing !== undefined)(`a local model${note}`, () => {
  test("is opened from its folder and batched like any other", async () => {
    const config = { ...DEFAULTS, provider: `local:${sentenceModel()}`, dimensions: 384 };
    const embedder = await openEmbedder(config, AROUND);
    const texts = Array.from({ length: 20 }, (_, at) => `sentence ${at}`);
    const [questions, passages] = await Promise.all([
      embedder.embed(["sentence 7"], QUERY),
      embedder.embed(texts, { kind: "passage", namespace: "a" }),
    ]);
    // This model makes no difference between what is asked and what is stored.
    expect(questions[0]).toEqual(passages[7]);
    expect(new Set(passages.map((vector) => vector.join())).size).toBe(20);
    await embedder.close();
  });
});
