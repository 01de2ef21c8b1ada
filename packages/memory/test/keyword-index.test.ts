import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { describeWithPostgres, testDatabase } from "@cherry-ai/services/vitest";
import type { AuthorityTier } from "../src/tiers/authority.ts";
import type { Database } from "../src/tiers/postgres/database.ts";
import { embeddedDatabase, openAuthority, serverDatabase } from "./support/databases.ts";
import { WordModel, idOf } from "./support/word-model.ts";

const WORDS = ["a", "b", "c", "d", "e", "f"];
const SCOPES = ["", "/x", "/x/y", "-x"];
const KEYS = ["k0", "k1"];

const scope = fc.constantFrom(...SCOPES);
const key = fc.constantFrom(...KEYS);
const words = fc.array(fc.constantFrom(...WORDS), { maxLength: 7 }).map((list) => list.join(" "));
const query = fc
  .array(fc.constantFrom(...WORDS), { minLength: 1, maxLength: 3 })
  .map((list) => list.join(" "));

type Step = (model: WordModel, root: string) => Promise<unknown>;

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.tuple(scope, key, words).map(
      ([at, k, text]): Step =>
        (model, root) =>
          model.put(root + at, k, text),
    ),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(scope, key, words).map(
      ([at, k, text]): Step =>
        (model, root) =>
          model.put(root + at, k, text, { indexing: { index: false } }),
    ),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(scope, key, words).map(
      ([at, k, text]): Step =>
        (model, root) =>
          model.put(root + at, k, text, { ttlSeconds: 500 }),
    ),
  },
  {
    weight: 2,
    arbitrary: fc.tuple(scope, key).map(
      ([at, k]): Step =>
        (model, root) =>
          model.remove(root + at, k),
    ),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(scope, key).map(
      ([at, k]): Step =>
        (model, root) =>
          model.touch(root + at, k, 500),
    ),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(scope, key, fc.boolean()).map(
      ([at, k, indexed]): Step =>
        (model, root) =>
          model.expire(root + at, k, async () => indexed && model.advance(100)),
    ),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(scope, fc.boolean()).map(
      ([at, below]): Step =>
        (model, root) =>
          model.clear(root + at, below),
    ),
  },
  {
    weight: 4,
    arbitrary: fc.integer({ min: 1, max: 8 }).map(
      (changes): Step =>
        (model) =>
          model.advance(changes),
    ),
  },
  { weight: 1, arbitrary: fc.constant<Step>((model) => model.authority.sweep(100)) },
);

/** Every document of the scope, its score that of the reference, in an order that the scores allow. */
async function check(
  model: WordModel,
  root: string,
  asked: { at: string; below: boolean; query: string },
): Promise<void> {
  const namespace = root + asked.at;
  const { below } = asked;
  const answer = await model.search({ namespace, below, query: asked.query });
  const scores = new Map(model.expected(namespace, below, asked.query));
  const hits = answer.hits.map((hit): [string, number] => [
    idOf(hit.namespace, hit.key),
    hit.score,
  ]);
  expect(new Set(hits.map(([id]) => id))).toEqual(new Set(scores.keys()));
  for (const [id, score] of hits)
    expect(Math.abs(score - (scores.get(id) ?? Number.NaN))).toBeLessThan(1e-6);
  expect(hits.map(([, score]) => score)).toEqual(
    hits.map(([, score]) => score).toSorted((a, b) => b - a),
  );
  expect(answer.statistics.documents).toBe(model.documentsIn(namespace, below).length);
  expect(answer.complete).toBe(true);
  expect(answer.lag).toBe(undefined);
}

interface Setup {
  readonly database: () => Promise<Database>;
  readonly runs: number;
}

function registerOver({ database, runs }: Setup): void {
  let authority: AuthorityTier;
  let opened = 0;
  beforeAll(async () => {
    authority = await openAuthority(await database());
  });
  afterAll(() => authority.close());

  test("after any sequence of changes, with the indexer at any lag, scores are the reference's", async () => {
    await fc.assert(
      fc.asyncProperty(
        // Long ones: an item must be written, indexed and written again before there is anything to see.
        fc.array(step, { minLength: 10, maxLength: 40, size: "max" }),
        query,
        async (steps, asked) => {
          opened += 1;
          const root = `run${opened}`;
          const model = new WordModel(authority);
          for (const one of steps) await one(model, root);
          for (const at of SCOPES)
            for (const below of [false, true])
              await check(model, root, { at, below, query: asked });
          await model.indexAll();
          for (const below of [false, true])
            await check(model, root, { at: "", below, query: asked });
        },
      ),
      { numRuns: runs },
    );
  });
}

describe("on PGlite", () => {
  registerOver({ database: async () => embeddedDatabase(), runs: 25 });
});

describeWithPostgres("on PostgreSQL", () => {
  registerOver({ database: async () => serverDatabase(await testDatabase()), runs: 25 });
});
