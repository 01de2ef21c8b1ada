import { Codec } from "../../src/codec/codec.ts";
import type { Indexing } from "../../src/model/indexing.ts";
import { systemClock } from "../../src/model/clock.ts";
import { ItemReader } from "../../src/recall/indexing/document-reader.ts";
import { encodeIndexing } from "../../src/recall/indexing/stored-indexing.ts";
import { referenceScores } from "../../src/recall/keyword/reference-scores.ts";
import { createAnalyser } from "../../src/recall/text/analyser.ts";
import type { AuthorityTier, PutOperation } from "../../src/tiers/authority.ts";
import type {
  IndexStep,
  KeywordAnswer,
  KeywordIndex,
  KeywordRequest,
} from "../../src/tiers/keyword.ts";

export const codec: Codec = new Codec({ encryptionKeys: [] });
export const analyser: ReturnType<typeof createAnalyser> = createAnalyser({ language: "none" });
export const reader: ItemReader = new ItemReader({ codec, analyser });

interface KnownDocument {
  readonly namespace: string;
  readonly key: string;
  readonly terms: readonly string[];
}

/** An authority's items and their words, and what a search of them must say. */
export class WordModel {
  readonly authority: AuthorityTier;
  readonly keywords: KeywordIndex;
  readonly #documents = new Map<string, KnownDocument>();

  constructor(authority: AuthorityTier) {
    if (authority.keywords === undefined) throw new Error("it cannot search by words");
    this.authority = authority;
    this.keywords = authority.keywords;
  }

  async put(
    namespace: string,
    key: string,
    text: string,
    how: { readonly indexing?: Indexing; readonly ttlSeconds?: number } = {},
  ): Promise<void> {
    await this.authority.write([putOf(namespace, key, text, how)]);
    const id = idOf(namespace, key);
    if (how.indexing?.index === false) this.#documents.delete(id);
    else this.#documents.set(id, { namespace, key, terms: analyser.terms(text) });
  }

  /** Items that are there already, such as many at once. */
  async putMany(puts: readonly { namespace: string; key: string; text: string }[]): Promise<void> {
    await this.authority.write(puts.map(({ namespace, key, text }) => putOf(namespace, key, text)));
    for (const { namespace, key, text } of puts)
      this.#documents.set(idOf(namespace, key), { namespace, key, terms: analyser.terms(text) });
  }

  async remove(namespace: string, key: string): Promise<void> {
    await this.authority.write([{ kind: "remove", namespace, key }]);
    this.#documents.delete(idOf(namespace, key));
  }

  async touch(namespace: string, key: string, ttlSeconds: number): Promise<void> {
    await this.authority.write([{ kind: "touch", namespace, key, ttlSeconds }]);
  }

  /** Gives it so short a life that it has expired when this returns. */
  async expire(namespace: string, key: string, meanwhile: () => Promise<unknown>): Promise<void> {
    await this.touch(namespace, key, 0.02);
    await meanwhile();
    while ((await this.authority.getMany([{ namespace, key }]))[0] !== undefined)
      await systemClock.sleep(2);
    this.#documents.delete(idOf(namespace, key));
  }

  async clear(namespace: string, below: boolean): Promise<void> {
    await this.authority.clear(namespace, below);
    for (const [id, document] of this.#documents)
      if (isIn(document, namespace, below)) this.#documents.delete(id);
  }

  advance(changes: number): Promise<IndexStep> {
    return this.keywords.advance(reader, { changes });
  }

  /** Until nothing is left to do. */
  async indexAll(): Promise<void> {
    while ((await this.advance(500)).status !== "idle");
  }

  search(
    request: Omit<Partial<KeywordRequest>, "terms"> & { readonly query: string },
  ): Promise<KeywordAnswer> {
    const { query, ...rest } = request;
    const terms = analyser.terms(query);
    return this.keywords.search({
      namespace: "",
      below: false,
      limit: 1000,
      reader,
      ...rest,
      terms,
    });
  }

  /** Best first. */
  expected(
    namespace: string,
    below: boolean,
    query: string,
  ): readonly (readonly [string, number])[] {
    const documents = this.documentsIn(namespace, below);
    const scored = documents.map((one) => ({ id: idOf(one.namespace, one.key), terms: one.terms }));
    return [...referenceScores(scored, analyser.terms(query))].sort((a, b) => b[1] - a[1]);
  }

  documentsIn(namespace: string, below: boolean): readonly KnownDocument[] {
    return [...this.#documents.values()].filter((one) => isIn(one, namespace, below));
  }
}

export function idOf(namespace: string, key: string): string {
  return `${namespace}:${key}`;
}

function isIn({ namespace }: KnownDocument, scope: string, below: boolean): boolean {
  return namespace === scope || (below && (scope === "" || namespace.startsWith(`${scope}/`)));
}

export function putOf(
  namespace: string,
  key: string,
  text: string,
  how: { readonly indexing?: Indexing; readonly ttlSeconds?: number } = {},
): PutOperation {
  const ref = { namespace, key };
  return {
    kind: "put",
    ...ref,
    body: codec.encode(text, ref),
    metadata: { n: text.length },
    tags: text.includes("a") ? ["has-a"] : [],
    ...(how.indexing === undefined ? {} : { indexing: encodeIndexing(codec, ref, how.indexing) }),
    ttlSeconds: how.ttlSeconds,
  };
}
