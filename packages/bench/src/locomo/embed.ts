import type { EmbeddingSource } from "../../../memory/src/recall/embedding/embedding-source.ts";
import type { Conversation } from "./load.ts";

/** By the question's text: the cosine of each turn of one conversation. */
export type Similarities = (question: string) => readonly number[];

/** Vectors of all turns and questions, kept in memory: a few minutes on one core for LoCoMo. */
export async function embedConversations(
  source: EmbeddingSource,
  conversations: readonly Conversation[],
): Promise<Similarities[]> {
  const all: Similarities[] = [];
  for (const { turns, questions } of conversations) {
    const passages = await embedAll(
      source,
      "passage",
      turns.map(({ text }) => text),
    );
    const texts = questions.map(({ text }) => text);
    const asked = await embedAll(source, "query", texts);
    const byText = new Map(texts.map((text, index) => [text, asked[index]]));
    all.push((question) => {
      const vector = byText.get(question);
      return vector === undefined ? [] : passages.map((passage) => dot(vector, passage));
    });
  }
  return all;
}

async function embedAll(
  source: EmbeddingSource,
  kind: "passage" | "query",
  texts: readonly string[],
): Promise<Float32Array[]> {
  const { signal } = new AbortController();
  const vectors: Float32Array[] = [];
  for (let from = 0; from < texts.length; from += source.limits.textsMax) {
    const batch = texts.slice(from, from + source.limits.textsMax);
    vectors.push(...(await source.embedBatch(batch, { kind, signal })).vectors);
  }
  return vectors;
}

/** Of vectors of length 1: their cosine. */
function dot(left: Float32Array, right: Float32Array): number {
  return left.reduce((sum, each, index) => sum + each * (right[index] ?? 0), 0);
}
