import assert from "node:assert/strict";
import type { EntryRef, VectorTier } from "../../tiers/vector.ts";
import { expectCode } from "../expect-code.ts";
import type { SuiteCase } from "../suite.ts";
import { angled, entryOf, hitsOf, keysOf, vectorCase, vectorOf } from "./fixture.ts";
import type { VectorTierMaker } from "./fixture.ts";

const ROUNDS_MAX = 100;

/** Entries: the newest stays, what is removed is gone. */
export function entryCases(maker: VectorTierMaker): SuiteCase[] {
  return [...replaceCases(maker), ...removeCases(maker), ...walkCases(maker)];
}

async function versionsOf(
  tier: VectorTier,
  index: number,
  namespace: string,
): Promise<{ readonly [key: string]: number }> {
  const hits = await hitsOf(tier, { index, namespace, limit: 100 });
  return Object.fromEntries(hits.map(({ key, itemVersion }) => [key, itemVersion]));
}

function replaceCases(maker: VectorTierMaker): SuiteCase[] {
  return [
    vectorCase(
      maker,
      "a newer entry takes the place of an older one, and never else",
      async (f) => {
        const { tier, index } = await f.start();
        const at = (itemVersion: number, degrees: number): Promise<void> =>
          tier.upsert(index, [entryOf(f.root, "a", { itemVersion, vector: angled(degrees) })]);
        await at(5, 60);
        await at(7, 0);
        await at(6, 60);
        await at(7, 0);
        const hits = await hitsOf(tier, { index, namespace: f.root });
        assert.equal(hits.length, 1);
        assert.equal(hits[0]?.itemVersion, 7);
        assert.ok(Math.abs((hits[0]?.similarity ?? 0) - 1) < 1e-5);
      },
    ),
    vectorCase(maker, "of one key twice in a call the newest counts", async (f) => {
      const { tier, index } = await f.start();
      const versions = [3, 9, 4];
      await tier.upsert(
        index,
        versions.map((itemVersion) => entryOf(f.root, "a", { itemVersion })),
      );
      assert.deepEqual(await versionsOf(tier, index, f.root), { a: 9 });
    }),
    vectorCase(maker, "an entry that was replaced is not found by what it was", async (f) => {
      const { tier, index } = await f.start();
      const filter = { fields: [{ field: "who", anyOf: ["ann"] }] };
      const scope = { index, namespace: f.root, filter };
      await tier.upsert(index, [entryOf(f.root, "a", { fields: { who: "ann" } })]);
      assert.deepEqual(await keysOf(tier, scope), ["a"]);
      await tier.upsert(index, [entryOf(f.root, "a", { itemVersion: 2, fields: { who: "bob" } })]);
      assert.deepEqual(await keysOf(tier, scope), []);
    }),
    vectorCase(
      maker,
      "keys and namespaces may be any text, and differ in case and accents",
      async (f) => {
        const { tier, index } = await f.start();
        const keys = ["A", "a", "ä", "a\u0308", "a b", "*", "a/b", '"\\', "{}", "'", "__proto__"];
        const namespace = `${f.root}/ünï *?{}\\`;
        await tier.upsert(
          index,
          keys.map((key) => entryOf(namespace, key)),
        );
        const found = await keysOf(tier, { index, namespace, limit: 100 });
        assert.deepEqual(found.toSorted(), keys.toSorted());
        assert.deepEqual(await keysOf(tier, { index, namespace: namespace.toUpperCase() }), []);
        await tier.remove(keys.slice(1).map((key) => ({ namespace, key, itemVersion: 1 })));
        assert.deepEqual(await keysOf(tier, { index, namespace }), ["A"]);
      },
    ),
    vectorCase(maker, "nothing to write is nothing done", async (f) => {
      const { tier, index } = await f.start();
      await tier.upsert(index, []);
      await tier.remove([]);
      assert.deepEqual(await keysOf(tier, { index, namespace: f.root }), []);
    }),
  ];
}

function removeCases(maker: VectorTierMaker): SuiteCase[] {
  return [
    vectorCase(maker, "removal spares what is newer, and other namespaces", async (f) => {
      const { tier, index } = await f.start();
      const apart = `${f.root}/x`;
      await tier.upsert(index, [
        entryOf(f.root, "old", { itemVersion: 4 }),
        entryOf(f.root, "same", { itemVersion: 5 }),
        entryOf(f.root, "newer", { itemVersion: 6 }),
        entryOf(apart, "old", { itemVersion: 4 }),
      ]);
      const refs = ["old", "same", "newer", "absent"].map((key) => ({
        namespace: f.root,
        key,
        itemVersion: 5,
      }));
      await tier.remove(refs);
      await tier.remove(refs);
      assert.deepEqual(await versionsOf(tier, index, f.root), { newer: 6 });
      assert.deepEqual(await versionsOf(tier, index, apart), { old: 4 });
    }),
    vectorCase(maker, "removal and clearing reach every index version", async (f) => {
      const tier = await f.open();
      const indexes = [f.plan(), f.plan(3)];
      for (const { number, dimensions } of indexes) {
        await tier.ensureIndex({ number, model: "suite", dimensions });
        const vector = vectorOf([1], dimensions);
        await tier.upsert(
          number,
          ["a", "b", "c"].map((key) => entryOf(f.root, key, { vector })),
        );
      }
      await tier.remove([{ namespace: f.root, key: "a", itemVersion: 1 }]);
      const left = (): Promise<number[]> =>
        Promise.all(
          indexes.map(async ({ number, dimensions }) => {
            const vector = vectorOf([1], dimensions);
            return (await hitsOf(tier, { index: number, namespace: f.root, vector })).length;
          }),
        );
      assert.deepEqual(await left(), [2, 2]);
      assert.equal(await tier.clear({ namespace: f.root, below: false, itemVersion: 1 }), 4);
      assert.deepEqual(await left(), [0, 0]);
    }),
    vectorCase(
      maker,
      "clearing goes by version, exactly that namespace or all below",
      async (f) => {
        const { tier, index } = await f.start();
        const spaces = [f.root, `${f.root}/1`, `${f.root}/1/x`, `${f.root}/10`, `${f.root}/1-`];
        for (const namespace of spaces)
          await tier.upsert(index, [
            entryOf(namespace, "old", { itemVersion: 5 }),
            entryOf(namespace, "new", { itemVersion: 6 }),
          ]);
        const left = async (): Promise<number[]> => {
          const counts: number[] = [];
          for (const namespace of spaces)
            counts.push((await hitsOf(tier, { index, namespace })).length);
          return counts;
        };
        const scope = { namespace: `${f.root}/1`, itemVersion: 5 };
        assert.equal(await tier.clear({ ...scope, below: false }), 1);
        assert.deepEqual(await left(), [2, 1, 2, 2, 2]);
        assert.equal(await tier.clear({ ...scope, below: true }), 1);
        assert.deepEqual(await left(), [2, 1, 1, 2, 2]);
        assert.equal(await tier.clear({ ...scope, itemVersion: 9, below: true }), 2);
        assert.deepEqual(await left(), [2, 0, 0, 2, 2]);
      },
    ),
  ];
}

function walkCases(maker: VectorTierMaker): SuiteCase[] {
  return [
    vectorCase(maker, "a walk meets every entry of an index version once", async (f) => {
      const { tier, index } = await f.start();
      const other = f.plan();
      await tier.ensureIndex(other);
      await tier.upsert(other.number, [entryOf(f.root, "elsewhere")]);
      const refs = Array.from({ length: 25 }, (_, place) => ({
        namespace: `${f.root}/${place % 3}`,
        key: `k${place}`,
        itemVersion: place + 1,
      }));
      await tier.upsert(
        index,
        refs.map((ref) => entryOf(ref.namespace, ref.key, ref)),
      );
      const met: EntryRef[] = [];
      let after: string | undefined;
      for (let rounds = 0; rounds < ROUNDS_MAX; rounds += 1) {
        const page = await tier.entries({ index, after, limit: 4 });
        assert.ok(page.entries.length <= 4);
        met.push(...page.entries);
        after = page.next;
        if (after === undefined) break;
      }
      const byVersion = (list: readonly EntryRef[]): EntryRef[] =>
        list.toSorted((a, b) => a.itemVersion - b.itemVersion);
      assert.deepEqual(byVersion(met), byVersion(refs));
      await expectCode("INVALID_CURSOR", () =>
        tier.entries({ index, after: "nonsense", limit: 4 }),
      );
    }),
  ];
}
