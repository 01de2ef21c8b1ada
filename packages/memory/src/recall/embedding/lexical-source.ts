import { estimateTokens } from "./embedding-source.ts";
import type { EmbeddingSource, SourceAnswer, SourceLimits } from "./embedding-source.ts";
import { toUnit } from "./unit-vector.ts";

export interface LexicalOptions {
  readonly analyser: {
    /** Changes when the same text would give other terms. */
    readonly id: string;
    terms(text: string): readonly string[];
  };
  readonly dimensions?: number;
}

export const LEXICAL_DIMENSIONS = 384;

/** Raised by any change that gives some text another vector. */
const LEXICAL_VERSION = 1;
/** About two milliseconds of this thread, then others have their turn. */
const LIMITS: SourceLimits = {
  textsMax: 32,
  bytesMax: 16 * 1024,
  textCharsMax: 8 * 1024,
  inFlightMax: 1,
};

/** Of a word's square length, the part that its letters share: forms that no stemmer joins are near. */
const LETTERS_SHARE = 0.35;
const GRAM_CHARS = 3;

const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;
const WORD_SEED = 0x9e3779b9;
const GRAM_SEED = 0x85ebca6b;

/**
 * Texts that share words, or words that share letters, are near: without a model, a file or a
 * service, and the same on every machine. Each word, and each three letters of one, adds to one
 * component, to which a hash sends it, with a sign from the same hash, so that what collides cancels
 * out on average. No weight comes from other texts: a vector never has to be made again because
 * texts were added, which costs what a word's rarity would tell. BM25 knows rarity; that is why this
 * may only ever break ties in a ranking, and says that it does not see meaning.
 */
export class LexicalSource implements EmbeddingSource {
  readonly model = "lexical";
  readonly dimensions: number;
  readonly version: string;
  readonly seesMeaning = false;
  readonly limits: SourceLimits = LIMITS;
  readonly #terms: (text: string) => readonly string[];

  constructor({ analyser, dimensions = LEXICAL_DIMENSIONS }: LexicalOptions) {
    this.dimensions = dimensions;
    this.version = `${LEXICAL_VERSION}-${analyser.id}`;
    this.#terms = (text) => analyser.terms(text);
  }

  async embedBatch(texts: readonly string[]): Promise<SourceAnswer> {
    await turnOfOthers();
    return { vectors: texts.map((text) => this.#vector(text)), tokens: estimateTokens(texts) };
  }

  async close(): Promise<void> {}

  #vector(text: string): Float32Array {
    const vector = new Float32Array(this.dimensions);
    const counts = new Map<string, number>();
    for (const term of this.#terms(text)) counts.set(term, (counts.get(term) ?? 0) + 1);
    for (const [term, count] of counts) {
      // What is said twice is not twice as much what the text is about; and long words are rare ones,
      // which is all that is known of rarity here (R@10 alone on LoCoMo 45 with it, 43 without).
      const weight = (1 + Math.log(count)) * Math.log(1 + term.length);
      add(vector, hash(term, 0, term.length, WORD_SEED), weight * Math.sqrt(1 - LETTERS_SHARE));
      addGrams(vector, term, weight);
    }
    toUnit(vector);
    return vector;
  }
}

function addGrams(vector: Float32Array, term: string, weight: number): void {
  // The ends are letters too: "cat" begins as "cathedral" does, "concatenate" does not.
  const framed = `^${term}$`;
  const grams = Math.max(1, framed.length - GRAM_CHARS + 1);
  const share = weight * Math.sqrt(LETTERS_SHARE / grams);
  for (let at = 0; at < grams; at++)
    add(vector, hash(framed, at, at + GRAM_CHARS, GRAM_SEED), share);
}

function add(vector: Float32Array, hashed: number, weight: number): void {
  const at = (hashed >>> 1) % vector.length;
  vector[at] = (vector[at] ?? 0) + ((hashed & 1) === 0 ? weight : -weight);
}

/** Batches follow each other without a pause: without this a long queue would hold up all else. */
function turnOfOthers(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

/** FNV-1a over UTF-16 units, then mixed: its low bits alone hardly depend on the first letters. */
function hash(text: string, from: number, to: number, seed: number): number {
  let state = FNV_OFFSET ^ seed;
  for (let at = from; at < to && at < text.length; at++)
    state = Math.imul(state ^ text.charCodeAt(at), FNV_PRIME);
  state = Math.imul(state ^ (state >>> 16), 0x45d9f3b);
  state = Math.imul(state ^ (state >>> 13), 0x45d9f3b);
  return (state ^ (state >>> 16)) >>> 0;
}
