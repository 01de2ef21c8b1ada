import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { referenceScores } from "./reference-scores.ts";
import { topDocuments } from "./top-documents.ts";
import type { PostingList, PostingSource, TopDocuments } from "./top-documents.ts";

interface Collection {
  readonly documents: readonly (readonly string[])[];
  readonly query: readonly string[];
  readonly excluded: ReadonlySet<number>;
  readonly limit: number;
  readonly keep: number;
}

/** Postings of a list of documents, numbered by their places. */
class ListSource implements PostingSource {
  readonly #collection: Collection;
  looked = 0;
  scanned = 0;

  constructor(collection: Collection) {
    this.#collection = collection;
  }

  list(term: number, wanted?: readonly number[]): PostingList {
    const { documents, query } = this.#collection;
    const places = [...documents.keys()].filter(
      (at) => documents[at]?.includes(query[term] ?? "") && (wanted?.includes(at) ?? true),
    );
    return {
      documents: places,
      frequencies: places.map(
        (at) => documents[at]?.filter((one) => one === query[term]).length ?? 0,
      ),
      lengths: places.map((at) => documents[at]?.length ?? 0),
    };
  }

  async scan(terms: readonly number[]): Promise<readonly PostingList[]> {
    const lists = terms.map((term) => this.list(term));
    for (const { documents } of lists) this.scanned += documents.length;
    return lists;
  }

  async lookUp(
    terms: readonly number[],
    documents: readonly number[],
  ): Promise<readonly PostingList[]> {
    this.looked += terms.length * documents.length;
    return terms.map((term) => this.list(term, documents));
  }
}

async function best(
  collection: Collection,
  rivals: readonly number[] = [],
): Promise<TopDocuments & { source: ListSource }> {
  const { documents, query, excluded, limit, keep } = collection;
  const source = new ListSource(collection);
  const live = documents.filter((_, at) => !excluded.has(at));
  const lengths = live.map((terms) => terms.length);
  const top = await topDocuments(source, {
    statistics: {
      documents: live.length,
      averageLength:
        live.length === 0 ? 0 : lengths.reduce((sum, one) => sum + one, 0) / live.length,
    },
    frequencies: query.map((term) => live.filter((terms) => terms.includes(term)).length),
    postings: query.map((term) => documents.filter((terms) => terms.includes(term)).length),
    limit,
    keep,
    excluded,
    rivals,
  });
  return { ...top, source };
}

function expected({ documents, query, excluded }: Collection): [number, number][] {
  const live = documents
    .map((terms, at) => ({ id: String(at), terms }))
    .filter((_, at) => !excluded.has(at));
  return [...referenceScores(live, query)]
    .map(([id, score]): [number, number] => [Number(id), score])
    .sort(([a, scoreA], [b, scoreB]) => scoreB - scoreA || a - b);
}

/** Terms of very different rarity, as words are. */
const words = Array.from({ length: 12 }, (_, at) => `w${at}`);
const word = fc
  .double({ min: 0, max: 1, noNaN: true })
  .map((x) => words[Math.floor(12 * x ** 3)] ?? "w0");

describe("the best documents by their words", () => {
  test("are those of the reference, whatever was left out", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.record({
          documents: fc.array(fc.array(word, { maxLength: 8 }), { maxLength: 60 }),
          query: fc.uniqueArray(fc.constantFrom(...words, "absent"), { maxLength: 6 }),
          excluded: fc.uniqueArray(fc.nat(60), { maxLength: 10 }).map((list) => new Set(list)),
          limit: fc.integer({ min: 1, max: 8 }),
          keep: fc.integer({ min: 0, max: 80 }),
        }),
        async (collection) => {
          const { entries } = await best(collection);
          const all = expected(collection);
          entries.forEach(({ document, score }, at) => {
            expect(score).toBeCloseTo(all[at]?.[1] ?? Number.NaN, 9);
            expect(all.find(([one]) => one === document)?.[1]).toBeCloseTo(score, 9);
          });
          expect(entries.length).toBeGreaterThanOrEqual(Math.min(collection.limit, all.length));
        },
      ),
      { numRuns: 300 },
    );
  });

  /** 30,000 documents: two words that most have, two that few have. */
  const large = (seed: number): readonly (readonly string[])[] =>
    Array.from({ length: 30_000 }, (_, at) => {
      const n = (at * 7919 + seed) % 30_000;
      return [
        ...(n % 2 === 0 ? ["common"] : []),
        ...(n % 3 === 0 ? ["usual"] : []),
        ...(n % 100 === 0 ? ["seldom"] : []),
        ...(n % 900 === 0 ? ["rare", ...(n % 7 === 0 ? ["rare"] : [])] : []),
        ...Array.from({ length: n % 5 }, () => "other"),
      ];
    });

  test("common words are only looked up where they can matter", async () => {
    for (const seed of [1, 2, 3]) {
      const collection = {
        documents: large(seed),
        query: ["common", "rare", "usual", "seldom"],
        excluded: new Set<number>(),
        limit: 10,
        keep: 10,
      };
      const { entries, complete, scanned, source } = await best(collection);
      expect(complete).toBe(false);
      expect(scanned.map((term) => collection.query[term])).toEqual(["rare", "seldom"]);
      expect(source.scanned + source.looked).toBeLessThan(5_000);
      const all = expected(collection).slice(0, 10);
      expect(entries.map(({ score }) => score.toFixed(9))).toEqual(
        all.map(([, score]) => score.toFixed(9)),
      );
      expect(entries.map(({ document }) => document)).toEqual(all.map(([document]) => document));
    }
  });

  test("common words alone are all scored", async () => {
    const collection = {
      documents: large(1),
      query: ["common", "usual"],
      excluded: new Set([0, 6]),
      limit: 10,
      keep: 500,
    };
    const { entries } = await best(collection);
    const all = expected(collection);
    expect(entries.length).toBeGreaterThanOrEqual(10);
    expect(entries.map(({ document }) => document)).toEqual(
      all.slice(0, entries.length).map(([document]) => document),
    );
  });

  test("a rival takes a place", async () => {
    const collection = {
      documents: large(1),
      query: ["common", "rare", "usual", "seldom"],
      excluded: new Set<number>(),
      limit: 3,
      keep: 3,
    };
    const { entries } = await best(collection, [1_000, 1_000, 1_000]);
    for (const { score } of entries) expect(score).toBeLessThan(1_000);
  });
});
