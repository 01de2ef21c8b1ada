import { cpSync, mkdtempSync, rmSync, truncateSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { modelsAvailable, sentenceModel } from "@cherry-ai/services";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { LocalSource } from "./local-source.ts";

const missing = modelsAvailable();
const note = missing === undefined ? "" : ` [skipped: ${missing}]`;
/** A model is read and warmed up in a second or two, on a machine that has nothing else to do. */
const OPEN_TIMEOUT_MS = 60_000;

const signal = new AbortController().signal;

function cosine(a: Float32Array | undefined, b: Float32Array | undefined): number {
  let sum = 0;
  for (const [at, component] of a?.entries() ?? []) sum += component * (b?.[at] ?? Number.NaN);
  return sum;
}

describe.skipIf(missing !== undefined)(`a local model${note}`, () => {
  let source: LocalSource;

  beforeAll(async () => {
    source = await LocalSource.open(sentenceModel());
  }, OPEN_TIMEOUT_MS);
  afterAll(() => source.close());

  async function vectors(
    texts: readonly string[],
    kind: "passage" | "query" = "passage",
  ): Promise<readonly Float32Array[]> {
    return (await source.embedBatch(texts, { kind, signal })).vectors;
  }

  test("says what it is before it is asked anything", () => {
    expect(source).toMatchObject({ dimensions: 384, seesMeaning: true });
    expect(source.model).toBe("all-minilm-l6-v2-q");
    expect(source.version).toMatch(/^q8-[0-9a-f]{16}$/);
  });

  test("what means the same is near, without a word in common", async () => {
    const [dog, puppy, tax] = await vectors([
      "My dog chased the postman this morning.",
      "Our puppy ran after a mail carrier today.",
      "The tax return is due in April.",
    ]);
    expect(cosine(dog, dog)).toBeCloseTo(1, 5);
    expect(cosine(dog, puppy)).toBeGreaterThan(cosine(dog, tax) + 0.3);
  });

  test("the vector of a text does not depend on the texts beside it", async () => {
    const [alone] = await vectors(["a cherry tree"]);
    const long = "something much longer than that ".repeat(40);
    const [, beside] = await vectors([long, "a cherry tree", long]);
    expect(beside).toEqual(alone);
  });

  test("a text of more tokens than it reads, or of strange ones, is no failure", async () => {
    const texts = ["word ".repeat(5000), "\u{1F352}".repeat(300), "\u0000\uFFFD", "."];
    expect(await vectors(texts)).toHaveLength(texts.length);
  });

  test("the event loop turns while it works", async () => {
    let turns = 0;
    let isDone = false;
    const count = (): void => {
      turns += 1;
      if (!isDone) setImmediate(count);
    };
    count();
    await vectors(Array.from({ length: 8 }, (_, at) => `sentence number ${at} of eight`));
    isDone = true;
    expect(turns).toBeGreaterThan(50);
  });

  test("is started again when its thread is gone, and is not after it was closed", async () => {
    const other = await LocalSource.open(sentenceModel());
    const request = { kind: "passage", signal } as const;
    const [before] = (await other.embedBatch(["a"], request)).vectors;
    await other.endThread();
    const [after] = (await other.embedBatch(["a"], request)).vectors;
    expect(after).toEqual(before);
    await other.close();
    await other.close();
    await expect(other.embedBatch(["a"], request)).rejects.toMatchObject({ code: "CLOSED" });
  });

  test("a question is asked as the model was trained to be asked", async () => {
    const bge = await LocalSource.open(sentenceModel("bge-small-en-v15-q"));
    onTestFinished(() => bge.close());
    const text = "Where does Anna live?";
    const [question] = (await bge.embedBatch([text], { kind: "query", signal })).vectors;
    const instruction = "Represent this sentence for searching relevant passages: ";
    const passages = await bge.embedBatch([text, instruction + text], { kind: "passage", signal });
    expect(question).toEqual(passages.vectors[1]);
    expect(question).not.toEqual(passages.vectors[0]);
  });

  test("a damaged model is refused when it is opened, with its folder", async () => {
    const parent = mkdtempSync(join(tmpdir(), "cherry-model-"));
    onTestFinished(() => rmSync(parent, { recursive: true }));
    const folder = join(parent, "cut");
    cpSync(sentenceModel(), folder, { recursive: true });
    truncateSync(join(folder, "onnx/model_quantized.onnx"), 1000);
    await expect(LocalSource.open(folder)).rejects.toMatchObject({
      code: "INVALID_CONFIG",
      message: expect.stringContaining(folder),
    });
  });
});
