import assert from "node:assert/strict";
import type { FieldValue, VectorFilter } from "../../tiers/vector.ts";
import type { SuiteCase } from "../suite.ts";
import { angled, entryOf, hitsOf, keysOf, vectorCase, vectorOf } from "./fixture.ts";
import type { VectorTierMaker } from "./fixture.ts";

const NEIGHBOURS = 20;

/** Searches: in what namespaces, in what order, by what filter. */
export function searchCases(maker: VectorTierMaker): SuiteCase[] {
  return [...scopeCases(maker), ...orderCases(maker), ...filterCases(maker), ...wordCases(maker)];
}

function scopeCases(maker: VectorTierMaker): SuiteCase[] {
  return [
    vectorCase(maker, "a namespace is exactly its segments", async (f) => {
      const { tier, index } = await f.start();
      const spaces = [f.root, `${f.root}/1`, `${f.root}/10`, `${f.root}/1/x`, `${f.root}1`];
      for (const namespace of spaces) await tier.upsert(index, [entryOf(namespace, namespace)]);
      for (const namespace of spaces)
        assert.deepEqual(await keysOf(tier, { index, namespace }), [namespace]);
      assert.deepEqual(await keysOf(tier, { index, namespace: `${f.root}/2` }), []);
    }),
    vectorCase(maker, "below takes all that lies below, and no more", async (f) => {
      const { tier, index } = await f.start();
      const inside = ["/1", "/1/x", "/1/x/y", "/1/-"].map((end) => `${f.root}${end}`);
      const outside = ["", "/10", "/1-", "/1.", "/0"].map((end) => `${f.root}${end}`);
      for (const namespace of [...inside, ...outside])
        await tier.upsert(index, [entryOf(namespace, "k")]);
      const hits = await hitsOf(tier, { index, namespace: `${f.root}/1`, below: true, limit: 100 });
      assert.deepEqual(hits.map(({ namespace }) => namespace).toSorted(), inside.toSorted());
      const all = await hitsOf(tier, { index, namespace: "", below: true, limit: 100 });
      assert.equal(all.length, inside.length + outside.length);
    }),
    vectorCase(maker, "the root is a namespace like others", async (f) => {
      const { tier, index } = await f.start();
      await tier.upsert(index, [entryOf("", f.root), entryOf(f.root, "k")]);
      assert.deepEqual(await keysOf(tier, { index, namespace: "" }), [f.root]);
      await tier.remove([{ namespace: "", key: f.root, itemVersion: 1 }]);
      assert.deepEqual(await keysOf(tier, { index, namespace: "" }), []);
    }),
    vectorCase(maker, "small namespaces among many fill their pages", async (f) => {
      const { tier, index } = await f.start();
      const spaces = Array.from({ length: 40 }, (_, place) => `${f.root}/${place}`);
      // The odd ones lie at the far end of what is asked for.
      const entries = spaces.flatMap((namespace, place) =>
        Array.from({ length: 12 }, (_, key) =>
          entryOf(namespace, `k${key}`, { vector: angled((place % 2) * 150 + key) }),
        ),
      );
      await tier.upsert(index, entries);
      for (const namespace of spaces) {
        const keys = await keysOf(tier, { index, namespace });
        assert.equal(keys.length, 10, namespace);
      }
    }),
  ];
}

function orderCases(maker: VectorTierMaker): SuiteCase[] {
  return [
    vectorCase(maker, "hits come by their cosine, whatever their length", async (f) => {
      const { tier, index } = await f.start();
      const angles = [80, 10, 170, 45, 0, 100];
      await tier.upsert(
        index,
        angles.map((degrees) => {
          const vector = angled(degrees).map((part) => part * (degrees + 1));
          return entryOf(f.root, String(degrees), { vector });
        }),
      );
      const vector = vectorOf([7]);
      const { hits } = await tier.nearest({
        index,
        namespace: f.root,
        below: false,
        vector,
        limit: 5,
      });
      assert.deepEqual(
        hits.map(({ key }) => Number(key)),
        [0, 10, 45, 80, 100],
      );
      for (const { key, similarity } of hits) {
        const cosine = Math.cos((Number(key) * Math.PI) / 180);
        assert.ok(Math.abs(similarity - cosine) < 1e-4, `${key}: ${similarity} ${cosine}`);
      }
      assert.deepEqual(hits[0], { ...hits[0], namespace: f.root, key: "0", itemVersion: 1 });
    }),
    vectorCase(maker, "exact search says that it is", async (f) => {
      const { tier, index } = await f.start();
      await tier.upsert(index, [entryOf(f.root, "a")]);
      const request = { index, namespace: f.root, below: false, vector: vectorOf([1]), limit: 5 };
      const { hits, exact } = await tier.nearest({ ...request, exact: true });
      assert.deepEqual([hits.length, exact], [1, true]);
    }),
  ];
}

function filterCases(maker: VectorTierMaker): SuiteCase[] {
  const only = (field: string, ...anyOf: FieldValue[]): VectorFilter => ({
    fields: [{ field, anyOf }],
  });
  return [
    vectorCase(maker, "a declared field matches by value and type", async (f) => {
      const { tier, index } = await f.start();
      if (!tier.capabilities.filters.fields) return;
      const long = "x".repeat(5000);
      await tier.upsert(index, [
        entryOf(f.root, "text", { fields: { n: "1", speaker: "Ann O'Hara", long } }),
        entryOf(f.root, "number", { fields: { n: 1, speaker: ["Bob", "Ann O'Hara"] } }),
        entryOf(f.root, "true", { fields: { n: true, long: `${long}y` } }),
        entryOf(f.root, "none"),
      ]);
      const found = async (filter: VectorFilter): Promise<readonly string[]> =>
        (await keysOf(tier, { index, namespace: f.root, filter })).toSorted();
      assert.deepEqual(await found(only("n", 1)), ["number"]);
      assert.deepEqual(await found(only("n", "1")), ["text"]);
      assert.deepEqual(await found(only("n", true, "1")), ["text", "true"]);
      assert.deepEqual(await found(only("speaker", "Ann O'Hara")), ["number", "text"]);
      assert.deepEqual(await found(only("speaker", "ann o'hara")), []);
      assert.deepEqual(await found(only("long", long)), ["text"]);
      assert.deepEqual(await found(only("absent", 1)), []);
      assert.deepEqual(await found(only("n")), []);
      assert.deepEqual(await found({ fields: [] }), ["none", "number", "text", "true"]);
      const both = [...(only("n", 1, "1").fields ?? []), ...(only("speaker", "Bob").fields ?? [])];
      assert.deepEqual(await found({ fields: both }), ["number"]);
    }),
    vectorCase(maker, "a time range takes its beginning and not its end", async (f) => {
      const { tier, index } = await f.start();
      if (!tier.capabilities.filters.time) return;
      const times = [-5, 0, 1_700_000_000_000, 1_700_000_000_001];
      await tier.upsert(index, [
        entryOf(f.root, "none"),
        ...times.map((atMs) => entryOf(f.root, String(atMs), { atMs })),
      ]);
      const found = async (filter: VectorFilter): Promise<readonly number[]> => {
        const keys = await keysOf(tier, { index, namespace: f.root, filter });
        return keys.map(Number).toSorted((a, b) => a - b);
      };
      assert.deepEqual(await found({ fromMs: 0 }), times.slice(1));
      assert.deepEqual(await found({ toMs: 1_700_000_000_001 }), times.slice(0, 3));
      assert.deepEqual(await found({ fromMs: 0, toMs: 1 }), [0]);
    }),
    vectorCase(maker, "a filter's page is filled wherever enough entries match", async (f) => {
      const { tier, index } = await f.start();
      if (!tier.capabilities.filters.fields) return;
      // What matches is the farthest of all.
      const entries = Array.from({ length: 600 }, (_, place) =>
        entryOf(f.root, `k${place}`, {
          vector: angled(place / 5),
          fields: { kind: place >= 600 - NEIGHBOURS ? "rare" : "common" },
        }),
      );
      await tier.upsert(index, entries);
      const filter = only("kind", "rare");
      const keys = await keysOf(tier, { index, namespace: f.root, filter, limit: NEIGHBOURS });
      const expected = entries.slice(-NEIGHBOURS).map(({ key }) => key);
      assert.deepEqual(keys.toSorted(), expected.toSorted());
      assert.equal(
        (await keysOf(tier, { index, namespace: f.root, filter, limit: 500 })).length,
        NEIGHBOURS,
      );
    }),
  ];
}

function wordCases(maker: VectorTierMaker): SuiteCase[] {
  return [
    vectorCase(maker, "a tier with an index of words finds by them", async (f) => {
      const { tier, index } = await f.start();
      assert.equal(tier.match !== undefined, tier.capabilities.ownKeywordIndex);
      if (tier.match === undefined) return;
      await tier.upsert(index, [
        entryOf(f.root, "both", { terms: ["cherri", "memori", "memori"] }),
        entryOf(f.root, "one", { terms: ["cherri", "tree"] }),
        entryOf(f.root, "none", { terms: ["apple"] }),
        entryOf(`${f.root}/x`, "below", { terms: ["cherri", "memori"] }),
      ]);
      const scope = { index, namespace: f.root, below: false, limit: 10 };
      const hits = await tier.match({ ...scope, terms: ["cherri", "memori"] });
      assert.deepEqual(
        hits.map(({ key }) => key),
        ["both", "one"],
      );
      assert.ok(hits.every(({ score, itemVersion }) => score > 0 && itemVersion === 1));
      const below = await tier.match({ ...scope, below: true, terms: ["memori"] });
      assert.deepEqual(below.map(({ key }) => key).toSorted(), ["below", "both"]);
      assert.deepEqual(await tier.match({ ...scope, terms: ["Cherri"] }), []);
      assert.deepEqual(await tier.match({ ...scope, terms: [] }), []);
      await tier.upsert(index, [entryOf(f.root, "one", { itemVersion: 2, terms: ["pear"] })]);
      const left = await tier.match({ ...scope, terms: ["tree"] });
      assert.deepEqual(left, []);
    }),
  ];
}
