import { Buffer } from "node:buffer";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { MemoryError } from "../../model/errors.ts";
import { FakeEmbeddingSource, fakeVector } from "../../testing/fake-embedding-source.ts";
import { BatchingEmbedder } from "./batching-embedder.ts";

const PASSAGE = { kind: "passage", namespace: "" } as const;
const QUERY = { kind: "query", namespace: "" } as const;

/** A source that answers only when it is told to. */
function gated(limits: ConstructorParameters<typeof FakeEmbeddingSource>[0] = {}): {
  readonly source: FakeEmbeddingSource;
  readonly open: () => Promise<void>;
} {
  const gate = Promise.withResolvers<undefined>();
  const source = new FakeEmbeddingSource({ ...limits, answer: () => gate.promise });
  return {
    source,
    open: async () => {
      gate.resolve(undefined);
      await turn();
    },
  };
}

function turn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

function refusal(text: string): MemoryError {
  return new MemoryError("EMBEDDING_REFUSED", `not ${text}`);
}

test("every caller gets its own vectors in its own order, whatever is batched with what", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(fc.string({ maxLength: 12 }), { maxLength: 9 }), { maxLength: 6 }),
      fc.integer({ min: 1, max: 5 }),
      fc.integer({ min: 1, max: 40 }),
      async (calls, textsMax, bytesMax) => {
        const source = new FakeEmbeddingSource({ limits: { textsMax, bytesMax } });
        const embedder = new BatchingEmbedder(source);
        const answers = await Promise.all(
          calls.map((texts, at) => embedder.embed(texts, at % 2 === 0 ? PASSAGE : QUERY)),
        );
        const expected = calls.map((texts) =>
          texts.map((text) => (text.trim() === "" ? Float32Array.of(0, 0) : fakeVector(text))),
        );
        expect(answers).toEqual(expected);
        for (const batch of source.calls) {
          expect(batch.length).toBeLessThanOrEqual(textsMax);
          expect(new Set(batch).size).toBe(batch.length);
          const bytes = batch.reduce((sum, text) => sum + Buffer.byteLength(text), 0);
          if (batch.length > 1) expect(bytes).toBeLessThanOrEqual(bytesMax);
        }
      },
    ),
    { numRuns: 300 },
  );
});

test("what comes while all calls are in flight goes out together", async () => {
  const { source, open } = gated({ limits: { textsMax: 100, inFlightMax: 1 } });
  const embedder = new BatchingEmbedder(source);
  const first = embedder.embed(["first"], PASSAGE);
  await turn();
  const others = ["a", "b", "c"].map((text) => embedder.embed([text], PASSAGE));
  await turn();
  expect(source.calls).toEqual([["first"]]);
  await open();
  await Promise.all([first, ...others]);
  expect(source.calls).toEqual([["first"], ["a", "b", "c"]]);
});

test("never more calls at once than the source takes", async () => {
  const { source, open } = gated({ limits: { textsMax: 1, inFlightMax: 2 } });
  const embedder = new BatchingEmbedder(source);
  const answer = embedder.embed(["a", "b", "c", "d"], PASSAGE);
  await turn();
  expect(source.calls).toHaveLength(2);
  await open();
  await answer;
  expect(source.calls).toHaveLength(4);
});

test("a question goes before the passages that wait", async () => {
  const { source, open } = gated({ limits: { textsMax: 1, inFlightMax: 1 } });
  const embedder = new BatchingEmbedder(source);
  const passages = embedder.embed(["one", "two"], PASSAGE);
  await turn();
  const question = embedder.embed(["question"], QUERY);
  await open();
  await Promise.all([passages, question]);
  expect(source.calls.flat()).toEqual(["one", "question", "two"]);
});

test("a text is cut to what the model reads, and never in the middle of a character", async () => {
  const source = new FakeEmbeddingSource({ limits: { textCharsMax: 4 } });
  await new BatchingEmbedder(source).embed(["abcdefg", "abc\u{1F352}"], PASSAGE);
  expect(source.calls).toEqual([["abcd", "abc\uFFFD"]]);
});

describe("failures", () => {
  test("a refused text fails its own caller only", async () => {
    const source = new FakeEmbeddingSource({
      limits: { textsMax: 8 },
      answer: (texts) => {
        if (texts.includes("bad")) throw refusal("bad");
        return undefined;
      },
    });
    const embedder = new BatchingEmbedder(source);
    const outcomes = await Promise.allSettled([
      embedder.embed(["a", "b"], PASSAGE),
      embedder.embed(["c", "bad"], PASSAGE),
      embedder.embed(["d"], PASSAGE),
    ]);
    expect(outcomes.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
    expect(outcomes[1]).toMatchObject({ reason: { code: "EMBEDDING_REFUSED" } });
  });

  test("an outage fails all whose texts were asked for, and nobody else", async () => {
    const source = new FakeEmbeddingSource({
      limits: { textsMax: 2, inFlightMax: 1 },
      answer: (texts) => {
        if (texts.includes("a")) throw new MemoryError("EMBEDDING_UNAVAILABLE", "away");
        return undefined;
      },
    });
    const embedder = new BatchingEmbedder(source);
    const outcomes = await Promise.allSettled([
      embedder.embed(["a", "b", "c", "d"], PASSAGE),
      embedder.embed(["e"], PASSAGE),
    ]);
    expect(outcomes.map(({ status }) => status)).toEqual(["rejected", "fulfilled"]);
    // What waited for the failed caller was not asked for any more.
    expect(source.calls).toEqual([["a", "b"], ["e"]]);
  });

  test("too few vectors are an error, not a hole", async () => {
    const source = new FakeEmbeddingSource({ answer: () => ({ vectors: [], tokens: 1 }) });
    const embedder = new BatchingEmbedder(source);
    await expect(embedder.embed(["a"], PASSAGE)).rejects.toMatchObject({
      code: "EMBEDDING_INVALID",
    });
  });

  test("beyond the bound of what may wait a call is refused at once", async () => {
    const { source, open } = gated({ limits: { textsMax: 1, inFlightMax: 1 } });
    const embedder = new BatchingEmbedder(source, { waitingTextsMax: 3 });
    const large = embedder.embed(["a", "b", "c", "d", "e"], PASSAGE);
    await turn();
    await expect(embedder.embed(["f"], PASSAGE)).rejects.toMatchObject({
      code: "EMBEDDING_UNAVAILABLE",
    });
    await open();
    expect(await large).toHaveLength(5);
  });
});

describe("aborting", () => {
  test("ends the caller's wait, and a call that nobody waits for any more", async () => {
    let reason: unknown;
    const source = new FakeEmbeddingSource({
      limits: { inFlightMax: 1 },
      answer: (texts, { signal }) =>
        texts.includes("slow")
          ? new Promise((_, reject) => {
              signal.addEventListener("abort", () => {
                reason = signal.reason;
                reject(signal.reason as Error);
              });
            })
          : undefined,
    });
    const embedder = new BatchingEmbedder(source);
    const stop = new AbortController();
    const slow = embedder.embed(["slow"], { ...PASSAGE, signal: stop.signal });
    await turn();
    const next = embedder.embed(["next"], PASSAGE);
    stop.abort(new Error("enough"));
    await expect(slow).rejects.toThrow("enough");
    expect(reason).toMatchObject({ code: "EMBEDDING_UNAVAILABLE" });
    expect(await next).toEqual([fakeVector("next")]);
  });

  test("leaves the others of the batch alone", async () => {
    const { source, open } = gated();
    const embedder = new BatchingEmbedder(source);
    const stop = new AbortController();
    const gone = embedder.embed(["gone"], { ...PASSAGE, signal: stop.signal });
    const stays = embedder.embed(["stays"], PASSAGE);
    await turn();
    stop.abort(new Error("enough"));
    await expect(gone).rejects.toThrow("enough");
    await open();
    expect(await stays).toEqual([fakeVector("stays")]);
    expect(source.calls).toEqual([["gone", "stays"]]);
  });

  test("before the call asks for nothing", async () => {
    const source = new FakeEmbeddingSource();
    const signal = AbortSignal.abort(new Error("enough"));
    const embedder = new BatchingEmbedder(source);
    await expect(embedder.embed(["a"], { ...PASSAGE, signal })).rejects.toThrow("enough");
    expect(source.calls).toEqual([]);
  });
});

test("closing fails what waits and what is in flight, closes the source, and is harmless twice", async () => {
  const { source } = gated({ limits: { textsMax: 1, inFlightMax: 1 } });
  const embedder = new BatchingEmbedder(source);
  const flying = embedder.embed(["a"], PASSAGE);
  const waiting = embedder.embed(["b"], PASSAGE);
  const ends = [flying, waiting].map((answer) =>
    expect(answer).rejects.toMatchObject({ code: "CLOSED" }),
  );
  await turn();
  await embedder.close();
  await embedder.close();
  await Promise.all(ends);
  expect(source.isClosed).toBe(true);
  await expect(embedder.embed(["c"], PASSAGE)).rejects.toMatchObject({ code: "CLOSED" });
});
