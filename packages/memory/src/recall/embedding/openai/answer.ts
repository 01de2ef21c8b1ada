import { MemoryError } from "../../../model/errors.ts";
import { estimateTokens } from "../embedding-source.ts";
import type { SourceAnswer } from "../embedding-source.ts";
import { toUnit } from "../unit-vector.ts";

export interface Expected {
  readonly texts: readonly string[];
  readonly model: string;
  readonly dimensions: number;
}

/** The vectors of an answer's body, in the order of the texts, or EMBEDDING_INVALID that says what is wrong. */
export function parseAnswer(body: string, expected: Expected): SourceAnswer {
  const answer = parseJson(body);
  const data = fieldOf(answer, "data");
  const count = expected.texts.length;
  if (!Array.isArray(data)) throw invalid(expected, "no list of vectors");
  if (data.length !== count)
    throw invalid(
      expected,
      `${data.length} vectors for ${count} ${count === 1 ? "text" : "texts"}`,
    );
  const vectors = new Array<Float32Array | undefined>(count).fill(undefined);
  for (const [position, entry] of data.entries()) {
    // Servers that answer in order sometimes leave the index out.
    const index = fieldOf(entry, "index") ?? position;
    if (typeof index !== "number" || !(index in vectors) || vectors[index] !== undefined)
      throw invalid(expected, "a vector that belongs to no text, or two that belong to one");
    vectors[index] = parseVector(fieldOf(entry, "embedding"), expected);
  }
  return {
    vectors: vectors.filter((vector) => vector !== undefined),
    tokens: countedTokens(answer) ?? estimateTokens(expected.texts),
  };
}

function parseVector(given: unknown, expected: Expected): Float32Array {
  if (!Array.isArray(given)) throw invalid(expected, "something that is no list of numbers");
  if (given.length !== expected.dimensions)
    throw invalid(
      expected,
      `vectors of ${given.length} dimensions; set CHERRY_EMBEDDINGS_DIMENSIONS to what the model makes`,
    );
  const vector = new Float32Array(given.length);
  for (const [at, component] of given.entries()) {
    if (typeof component !== "number")
      throw invalid(expected, "a vector with more than numbers in it");
    vector[at] = component;
  }
  if (!toUnit(vector))
    throw invalid(expected, "a vector without a direction: zeros or no finite numbers");
  return vector;
}

function countedTokens(answer: unknown): number | undefined {
  const usage = fieldOf(answer, "usage");
  const tokens = fieldOf(usage, "total_tokens") ?? fieldOf(usage, "prompt_tokens");
  return typeof tokens === "number" && tokens > 0 && Number.isFinite(tokens) ? tokens : undefined;
}

function parseJson(body: string): unknown {
  try {
    return JSON.parse(body) as unknown;
  } catch {
    return undefined;
  }
}

function fieldOf(value: unknown, name: string): unknown {
  if (typeof value !== "object" || value === null || !Object.hasOwn(value, name)) return undefined;
  return (value as { readonly [name: string]: unknown })[name];
}

function invalid({ model, dimensions, texts }: Expected, found: string): MemoryError {
  return new MemoryError(
    "EMBEDDING_INVALID",
    `the embedding endpoint answered with ${found}; expected ${texts.length} of ${dimensions} dimensions from ${model}`,
  );
}
