import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { PrometheusMetrics } from "../../metrics/prometheus.ts";
import { noMetrics } from "../../metrics/metrics.ts";
import { FakeEmbeddingSource, fakeVector } from "../../testing/fake-embedding-source.ts";
import { BatchingEmbedder } from "./batching-embedder.ts";
import { CachingEmbedder } from "./caching-embedder.ts";
import type { CachingOptions } from "./caching-embedder.ts";
import { bytesVector, vectorBytes } from "./vector-store.ts";
import type { VectorStore } from "./vector-store.ts";

/** A store that never forgets by itself. */
class MapStore implements VectorStore {
  readonly kept = new Map<string, Float32Array>();

  async lookUp(namespace: string, ids: readonly string[]): ReturnType<VectorStore["lookUp"]> {
    return {
      found: ids.map((id) => this.kept.get(`${namespace} ${id}`)),
      keep: async (entries) => {
        for (const { id, vector } of entries) this.kept.set(`${namespace} ${id}`, vector);
      },
    };
  }

  forget(): Promise<void> {
    return this.clear();
  }

  async clear(): Promise<void> {
    this.kept.clear();
  }
}

function cached(options: Partial<CachingOptions> = {}): {
  readonly source: FakeEmbeddingSource;
  readonly store: MapStore;
  readonly embedder: CachingEmbedder;
} {
  const source = new FakeEmbeddingSource({ limits: { textsMax: 500, bytesMax: 1e6 } });
  const store = new MapStore();
  const embedder = new CachingEmbedder(new BatchingEmbedder(source), {
    store,
    metrics: noMetrics,
    onError: (error) => {
      throw error;
    },
    ...options,
  });
  return { source, store, embedder };
}

const PASSAGE = { kind: "passage", namespace: "a" } as const;

test("answers are the same as without it, and no text of a namespace is embedded twice", async () => {
  const call = fc.record({
    texts: fc.array(fc.constantFrom("x", "xx", "xxx", "xxxx", "xxxxx"), { maxLength: 6 }),
    kind: fc.constantFrom("passage" as const, "query" as const),
    namespace: fc.constantFrom("a", "b"),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(call, { maxLength: 12 }), async (calls) => {
      const { source, embedder } = cached();
      const seen = new Set<string>();
      for (const { texts, kind, namespace } of calls) {
        const sent = source.calls.length;
        const vectors = await embedder.embed(texts, { kind, namespace });
        expect(vectors).toEqual(texts.map(fakeVector));
        const fresh = new Set(texts.filter((text) => !seen.has(`${kind} ${namespace} ${text}`)));
        expect(new Set(source.calls.slice(sent).flat())).toEqual(fresh);
        for (const text of texts) seen.add(`${kind} ${namespace} ${text}`);
      }
    }),
    { numRuns: 200 },
  );
});

test("keys show nothing of a text, and do not repeat across namespaces", async () => {
  const { store, embedder } = cached();
  for (const namespace of ["a", "b"]) await embedder.embed(["a secret"], { ...PASSAGE, namespace });
  const ids = [...store.kept.keys()].map((key) => key.split(" ")[1] ?? "");
  expect(new Set(ids).size).toBe(2);
  for (const id of ids) expect(id).toMatch(/^[\w-]{43}$/);
});

test("what is forgotten is embedded anew", async () => {
  const { source, store, embedder } = cached();
  await embedder.embed(["x"], PASSAGE);
  await store.forget();
  await embedder.embed(["x"], PASSAGE);
  expect(source.calls).toHaveLength(2);
});

test("a rebuild is not kept", async () => {
  const { store, embedder } = cached();
  const texts = Array.from({ length: 300 }, (_, at) => `text ${at}`);
  expect(await embedder.embed(texts, PASSAGE)).toEqual(texts.map(fakeVector));
  expect(store.kept.size).toBe(0);
});

test("hits and misses are counted", async () => {
  const metrics = new PrometheusMetrics();
  const { embedder } = cached({ metrics });
  await embedder.embed(["x", "y"], PASSAGE);
  await embedder.embed(["x", "z"], PASSAGE);
  const text = await metrics.registry.metrics();
  expect(text).toContain('cherry_embedding_cache_total{model="fake",outcome="hit"} 1');
  expect(text).toContain('cherry_embedding_cache_total{model="fake",outcome="miss"} 3');
});

describe("a store that fails", () => {
  const broken = new Error("away");

  test("to look up is an empty one", async () => {
    const errors: unknown[] = [];
    const store: VectorStore = {
      lookUp: () => Promise.reject(broken),
      clear: () => Promise.resolve(),
      forget: () => Promise.resolve(),
    };
    const { embedder } = cached({ store, onError: (error) => errors.push(error) });
    expect(await embedder.embed(["x"], PASSAGE)).toEqual([fakeVector("x")]);
    expect(errors).toEqual([broken]);
  });

  test("to keep has kept nothing", async () => {
    const errors: unknown[] = [];
    const store: VectorStore = {
      lookUp: async () => ({ found: [], keep: () => Promise.reject(broken) }),
      clear: () => Promise.resolve(),
      forget: () => Promise.resolve(),
    };
    const { embedder } = cached({ store, onError: (error) => errors.push(error) });
    expect(await embedder.embed(["x"], PASSAGE)).toEqual([fakeVector("x")]);
    await embedder.close();
    expect(errors).toEqual([broken]);
  });
});

test("vectors are the same after they were bytes, and other bytes are none", () => {
  fc.assert(
    fc.property(fc.float32Array({ noNaN: true, noDefaultInfinity: true }), (vector) => {
      expect(bytesVector(vectorBytes(vector), vector.length)).toEqual(vector);
      expect(bytesVector(vectorBytes(vector), vector.length + 1)).toBeUndefined();
    }),
  );
  expect(bytesVector(vectorBytes(Float32Array.of(Number.NaN)), 1)).toBeUndefined();
});
