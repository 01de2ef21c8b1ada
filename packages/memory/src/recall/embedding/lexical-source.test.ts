import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createAnalyser } from "../text/analyser.ts";
import { BatchingEmbedder } from "./batching-embedder.ts";
import { LEXICAL_DIMENSIONS, LexicalSource } from "./lexical-source.ts";

const source = new LexicalSource({ analyser: createAnalyser() });

async function vectorOf(text: string): Promise<Float32Array> {
  const [vector] = (await source.embedBatch([text])).vectors;
  return vector ?? new Float32Array();
}

async function near(a: string, b: string): Promise<number> {
  const [left, right] = await Promise.all([vectorOf(a), vectorOf(b)]);
  return left.reduce((sum, component, at) => sum + component * (right[at] ?? Number.NaN), 0);
}

test("says that it knows words and not meaning, and which analyser it rests on", () => {
  expect(source).toMatchObject({
    model: "lexical",
    dimensions: LEXICAL_DIMENSIONS,
    seesMeaning: false,
  });
  const other = new LexicalSource({ analyser: createAnalyser({ language: "de" }) });
  expect(other.version).not.toBe(source.version);
});

test("the same text has the same vector on every machine and in every release", async () => {
  const vector = await vectorOf("The cherry tree blooms in April");
  const sum = vector.reduce((total, component, at) => total + component * (at + 1), 0);
  // Another one here needs another LEXICAL_VERSION, or old and new vectors get mixed in an index.
  expect(sum).toBeCloseTo(-404.05, 3);
});

describe("near texts are nearer than far ones", () => {
  const asked = "When did Anna adopt her puppy?";
  test.each([
    ["words in common", "Anna adopted a puppy in May", "The tax return is due in April"],
    ["more words in common", "Anna adopted a puppy", "Anna went to the beach"],
    ["letters in common", "the adoption of puppies", "a walk along the beach"],
    ["a long word in common", "an adoptable dog", "a dog and her ball"],
  ])("%s", async (_, close, far) => {
    expect(await near(asked, close)).toBeGreaterThan((await near(asked, far)) + 0.05);
  });

  test("of any random words, those of the text itself", async () => {
    const word = fc.string({
      unit: fc.constantFrom(..."bcdfghklmnprtvz"),
      minLength: 5,
      maxLength: 9,
    });
    const words = fc.uniqueArray(word, { minLength: 16, maxLength: 16 });
    await fc.assert(
      fc.asyncProperty(words, async (all) => {
        const text = all.slice(0, 8).join(" ");
        const inside = await near(text, all.slice(4, 8).join(" "));
        const outside = await near(text, all.slice(8, 12).join(" "));
        expect(inside).toBeGreaterThan(outside);
      }),
      { numRuns: 100 },
    );
  });
});

/** Lone surrogates included. */
const anyText = fc
  .array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 50 })
  .map((units) => String.fromCharCode(...units));

test("any text has a vector of length 1, or of zeros where there is no word", async () => {
  const embedder = new BatchingEmbedder(source);
  await fc.assert(
    fc.asyncProperty(fc.array(anyText), async (texts) => {
      const vectors = await embedder.embed(texts, { kind: "passage", namespace: "" });
      expect(vectors).toHaveLength(texts.length);
      for (const vector of vectors) {
        expect(vector).toHaveLength(LEXICAL_DIMENSIONS);
        const length = Math.hypot(...vector);
        expect(length === 0 || Math.abs(length - 1) < 1e-5).toBe(true);
      }
    }),
    { numRuns: 200 },
  );
});

test("a long queue leaves the event loop its turns", async () => {
  const embedder = new BatchingEmbedder(source);
  const texts = Array.from({ length: 640 }, (_, at) => `text number ${at}`);
  let turns = 0;
  let isDone = false;
  const count = (): void => {
    turns += 1;
    if (!isDone) setImmediate(count);
  };
  count();
  await embedder.embed(texts, { kind: "passage", namespace: "" });
  isDone = true;
  // As many batches as there are.
  expect(turns).toBeGreaterThanOrEqual(20);
});
