import { expect, test } from "vitest";
import { PrometheusMetrics } from "../../metrics/prometheus.ts";
import { MemoryError } from "../../model/errors.ts";
import { FakeEmbeddingSource } from "../../testing/fake-embedding-source.ts";
import { ManualClock } from "../../testing/manual-clock.ts";
import { BreakingSource } from "./breaking-source.ts";
import { MeteredSource } from "./metered-source.ts";
import { PrecomputedSource } from "./precomputed-source.ts";

const REQUEST = { kind: "passage", signal: new AbortController().signal } as const;

test("after three failures in a row nothing is sent for a while, and then one trial", async () => {
  const clock = new ManualClock();
  let error: MemoryError | undefined = new MemoryError("EMBEDDING_UNAVAILABLE", "away");
  const source = new FakeEmbeddingSource({
    answer: () => {
      if (error !== undefined) throw error;
      return undefined;
    },
  });
  const states: string[] = [];
  const breaking = new BreakingSource(source, {
    clock,
    random: () => 1,
    onState: (state) => states.push(state),
  });
  for (let call = 0; call < 3; call++)
    await expect(breaking.embedBatch(["a"], REQUEST)).rejects.toThrow("away");
  await expect(breaking.embedBatch(["a"], REQUEST)).rejects.toMatchObject({
    code: "EMBEDDING_UNAVAILABLE",
    message: expect.stringContaining("did not answer lately"),
  });
  expect(source.calls).toHaveLength(3);
  error = undefined;
  await clock.advance(1000);
  await breaking.embedBatch(["a"], REQUEST);
  expect(states).toEqual(["open", "half-open", "closed"]);
});

test("refused texts, spent budgets and callers who give up do not open it", async () => {
  const stop = new AbortController();
  const codes = ["EMBEDDING_REFUSED", "EMBEDDING_BUDGET_SPENT", "EMBEDDING_UNAVAILABLE"] as const;
  for (const code of codes) {
    const source = new FakeEmbeddingSource({
      answer: () => {
        throw new MemoryError(code, "no");
      },
    });
    stop.abort();
    const breaking = new BreakingSource(source, { clock: new ManualClock(), random: () => 1 });
    const request =
      code === "EMBEDDING_UNAVAILABLE" ? { ...REQUEST, signal: stop.signal } : REQUEST;
    for (let call = 0; call < 5; call++)
      await expect(breaking.embedBatch(["a"], request)).rejects.toThrow("no");
    expect(source.calls).toHaveLength(5);
  }
});

test("texts, tokens, cost, time and failures are counted by model", async () => {
  const clock = new ManualClock();
  const metrics = new PrometheusMetrics();
  const source = new FakeEmbeddingSource({
    answer: async (texts) => {
      if (texts.includes("bad")) throw new MemoryError("EMBEDDING_REFUSED", "no");
      clock.jump(20);
      return { vectors: [], tokens: 500_000 };
    },
  });
  const metered = new MeteredSource(source, { clock, metrics, usdPerMillionTokens: 0.5 });
  await metered.embedBatch(["a", "b"], REQUEST);
  await expect(metered.embedBatch(["bad"], REQUEST)).rejects.toThrow("no");
  metrics.embeddingCache("fake", 3, 2);
  const text = await metrics.registry.metrics();
  for (const line of [
    'cherry_embedding_texts_total{model="fake",kind="passage"} 2',
    'cherry_embedding_tokens_total{model="fake",kind="passage"} 500000',
    'cherry_embedding_cost_usd_total{model="fake"} 0.25',
    'cherry_embedding_seconds_sum{model="fake",kind="passage"} 0.02',
    'cherry_embedding_failures_total{model="fake",code="EMBEDDING_REFUSED"} 1',
    'cherry_embedding_cache_total{model="fake",outcome="hit"} 3',
    'cherry_embedding_cache_total{model="fake",outcome="miss"} 2',
  ])
    expect(text).toContain(line);
});

test("precomputed vectors are looked up, scaled to length 1, and checked", async () => {
  const vectors = new Map([
    ["a", [3, 4]],
    ["short", [1]],
    ["zeros", [0, 0]],
    ["nonsense", [Number.NaN, 1]],
  ]);
  const source = new PrecomputedSource({
    model: "mine",
    dimensions: 2,
    lookUp: (text) => vectors.get(text),
  });
  const answer = await source.embedBatch(["a"], REQUEST);
  expect(answer.vectors).toEqual([Float32Array.of(0.6, 0.8)]);
  for (const text of ["short", "zeros", "nonsense"])
    await expect(source.embedBatch([text], REQUEST)).rejects.toMatchObject({
      code: "EMBEDDING_INVALID",
    });
  await expect(source.embedBatch(["none"], REQUEST)).rejects.toMatchObject({
    code: "EMBEDDING_REFUSED",
  });
});
