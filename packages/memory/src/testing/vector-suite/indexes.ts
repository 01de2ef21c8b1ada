import assert from "node:assert/strict";
import { expectCode } from "../expect-code.ts";
import type { SuiteCase } from "../suite.ts";
import { DIMENSIONS, entryOf, hitsOf, keysOf, vectorCase, vectorOf } from "./fixture.ts";
import type { VectorTierMaker } from "./fixture.ts";

/** Long ones are kept in a form of their own by some; beyond it tests would only be slow. */
const LONG_DIMENSIONS_MAX = 4000;
const SERVERS = 5;

/** Index versions: made once, told apart, dropped. */
export function indexCases(maker: VectorTierMaker): SuiteCase[] {
  return [...lifeCases(maker), ...shapeCases(maker)];
}

function lifeCases(maker: VectorTierMaker): SuiteCase[] {
  return [
    vectorCase(maker, "many servers may make an index version at once", async (f) => {
      const tiers = await Promise.all(Array.from({ length: SERVERS }, () => f.open()));
      const index = f.plan();
      await Promise.all(tiers.map((tier) => tier.ensureIndex(index)));
      for (const tier of tiers) {
        const there = await tier.listIndexes();
        assert.deepEqual(
          there.filter(({ number }) => number === index.number),
          [index],
        );
      }
    }),
    vectorCase(maker, "index versions lie side by side", async (f) => {
      const tier = await f.open();
      const [old, next] = [f.plan(), f.plan(3)];
      await tier.ensureIndex(old);
      await tier.ensureIndex(next);
      await tier.upsert(old.number, [entryOf(f.root, "a"), entryOf(f.root, "b")]);
      await tier.upsert(next.number, [entryOf(f.root, "a", { vector: vectorOf([1], 3) })]);
      const there = await tier.listIndexes();
      assert.deepEqual(
        there.filter(({ number }) => number === old.number || number === next.number),
        [old, next],
      );
      const oldKeys = await keysOf(tier, { index: old.number, namespace: f.root });
      assert.deepEqual(oldKeys.toSorted(), ["a", "b"]);
      const nextKeys = await keysOf(tier, {
        index: next.number,
        namespace: f.root,
        vector: vectorOf([1], 3),
      });
      assert.deepEqual(nextKeys, ["a"]);
    }),
    vectorCase(maker, "what was dropped is gone, for other servers too", async (f) => {
      const { tier, index } = await f.start();
      const other = await f.open();
      await tier.upsert(index, [entryOf(f.root, "a")]);
      assert.deepEqual(await keysOf(other, { index, namespace: f.root }), ["a"]);
      await tier.dropIndex(index);
      await tier.dropIndex(index);
      await expectCode("NOT_FOUND", () => hitsOf(other, { index, namespace: f.root }));
      await expectCode("NOT_FOUND", () => other.upsert(index, [entryOf(f.root, "b")]));
      assert.ok(!(await other.listIndexes()).some(({ number }) => number === index));
      // Others in it go on.
      await other.remove([{ namespace: f.root, key: "a", itemVersion: 1 }]);
    }),
    vectorCase(maker, "what was never made is not found", async (f) => {
      const tier = await f.open();
      const { number } = f.plan();
      await expectCode("NOT_FOUND", () => hitsOf(tier, { index: number, namespace: f.root }));
    }),
  ];
}

function shapeCases(maker: VectorTierMaker): SuiteCase[] {
  return [
    vectorCase(maker, "a number is of one model and one length", async (f) => {
      const tier = await f.open();
      const index = f.plan();
      await tier.ensureIndex(index);
      await tier.ensureIndex(index);
      await expectCode("INVALID_ARGUMENT", () => tier.ensureIndex({ ...index, model: "another" }));
      await expectCode("INVALID_ARGUMENT", () =>
        tier.ensureIndex({ ...index, dimensions: DIMENSIONS + 1 }),
      );
    }),
    vectorCase(
      maker,
      "a vector of another length is refused, and all that came with it",
      async (f) => {
        const { tier, index } = await f.start();
        const wrong = entryOf(f.root, "wrong", { vector: vectorOf([1], DIMENSIONS + 1) });
        await expectCode("INVALID_ARGUMENT", () =>
          tier.upsert(index, [entryOf(f.root, "right"), wrong]),
        );
        await expectCode("INVALID_ARGUMENT", () =>
          hitsOf(tier, { index, namespace: f.root, vector: vectorOf([1], DIMENSIONS - 1) }),
        );
        assert.deepEqual(await keysOf(tier, { index, namespace: f.root }), []);
      },
    ),
    vectorCase(maker, "a vector without a direction is refused", async (f) => {
      const { tier, index } = await f.start();
      for (const parts of [[0], [Number.NaN], [Number.POSITIVE_INFINITY]]) {
        const vector = vectorOf(parts);
        await expectCode("INVALID_ARGUMENT", () =>
          tier.upsert(index, [entryOf(f.root, "none", { vector })]),
        );
        await expectCode("INVALID_ARGUMENT", () =>
          hitsOf(tier, { index, namespace: f.root, vector }),
        );
      }
    }),
    vectorCase(maker, "the longest vectors are found, longer ones refused", async (f) => {
      const tier = await f.open();
      const { dimensionsMax } = tier.capabilities;
      const dimensions = Math.min(dimensionsMax, LONG_DIMENSIONS_MAX);
      const index = f.plan(dimensions);
      await tier.ensureIndex(index);
      const vectors = [vectorOf([1, 2], dimensions), vectorOf([1, -2], dimensions)];
      await tier.upsert(
        index.number,
        vectors.map((vector, place) => entryOf(f.root, `k${place}`, { vector })),
      );
      const scope = { index: index.number, namespace: f.root };
      const [hit] = await hitsOf(tier, { ...scope, vector: vectorOf([1, 2], dimensions) });
      assert.equal(hit?.key, "k0");
      assert.ok(Math.abs(hit.similarity - 1) < 1e-3, `${hit.similarity}`);
      await expectCode("INVALID_ARGUMENT", () => tier.ensureIndex(f.plan(dimensionsMax + 1)));
    }),
  ];
}
