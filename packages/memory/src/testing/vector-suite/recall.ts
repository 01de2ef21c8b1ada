import assert from "node:assert/strict";
import type { Random } from "../../model/clock.ts";
import type { VectorEntry, VectorTier } from "../../tiers/vector.ts";
import { withSeed, wholeBelow } from "../seeded-random.ts";
import type { SuiteCase } from "../suite.ts";
import { entryOf, gaussian, vectorCase } from "./fixture.ts";
import type { VectorTierMaker } from "./fixture.ts";

const DIMENSIONS = 32;
const TOPICS = 40;
/** How far the members of a topic lie from its centre. */
const SPREAD = 0.4;
const QUERIES = 20;
const LIMIT = 10;
const BATCH = 500;
const RECALL_MIN = 0.95;
/** One in so many entries matches: 100 %, 1 %, 0.1 % and 0.01 %. */
const ONE_IN = [1, 100, 1000, 10_000] as const;

/** What approximate search finds of what exact search finds, by how much the filter lets through. */
export function recallCases(maker: VectorTierMaker): SuiteCase[] {
  return [
    vectorCase(maker, "nearly all of the nearest are found, however rare what matches is", (f) =>
      withSeed(7, async (random) => {
        const { tier, index } = await f.start(DIMENSIONS);
        const draw = topicVectors(random);
        const entries = Array.from({ length: f.recallRows }, (_, place) =>
          entryOf(f.root, `k${place}`, {
            vector: draw(),
            fields: { one: ONE_IN.filter((share) => place % share === 0) },
          }),
        );
        for (let start = 0; start < entries.length; start += BATCH)
          await tier.upsert(index, entries.slice(start, start + BATCH));
        const queries = Array.from({ length: QUERIES }, draw);
        for (const share of ONE_IN) {
          const matching = entries.filter((_, place) => place % share === 0);
          const recall = await recallOf(tier, { index, share, matching, queries });
          assert.ok(recall >= RECALL_MIN, `one in ${share}: recall ${recall}`);
        }
      }),
    ),
  ];
}

/** Texts are about something: vectors of a model lie in heaps, not evenly. */
function topicVectors(random: Random): () => Float32Array {
  const direction = (): Float32Array =>
    Float32Array.from({ length: DIMENSIONS }, () => gaussian(random));
  const topics = Array.from({ length: TOPICS }, direction);
  return () => {
    const topic = topics[wholeBelow(random, TOPICS)] ?? direction();
    return topic.map((part) => part + SPREAD * gaussian(random));
  };
}

async function recallOf(
  tier: VectorTier,
  trial: {
    readonly index: number;
    readonly share: number;
    readonly matching: readonly VectorEntry[];
    readonly queries: readonly Float32Array[];
  },
): Promise<number> {
  const { index, share, matching, queries } = trial;
  const namespace = matching[0]?.namespace ?? "";
  const filter = { fields: [{ field: "one", anyOf: [share] }] };
  const wanted = Math.min(LIMIT, matching.length);
  let found = 0;
  for (const vector of queries) {
    const request = { index, namespace, below: false, vector, limit: LIMIT, filter };
    const { hits } = await tier.nearest(request);
    assert.equal(hits.length, wanted, `one in ${share}: a page of ${hits.length}`);
    const nearest = new Set(exactKeys(matching, vector));
    found += hits.filter(({ key }) => nearest.has(key)).length;
  }
  return found / (queries.length * wanted);
}

function exactKeys(entries: readonly VectorEntry[], query: Float32Array): string[] {
  return entries
    .map(({ key, vector }) => ({ key, similarity: cosine(vector, query) }))
    .toSorted((a, b) => b.similarity - a.similarity)
    .slice(0, LIMIT)
    .map(({ key }) => key);
}

function cosine(left: Float32Array, right: Float32Array): number {
  const product = (a: Float32Array, b: Float32Array): number =>
    a.reduce((sum, part, place) => sum + part * (b[place] ?? 0), 0);
  return product(left, right) / Math.sqrt(product(left, left) * product(right, right));
}
