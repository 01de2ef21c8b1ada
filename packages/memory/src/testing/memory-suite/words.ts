import assert from "node:assert/strict";
import type { MemoryItem } from "../../model/item.ts";
import type { Memory, SearchOptions } from "../../manager/memory.ts";
import { expectCode } from "../expect-code.ts";
import type { SuiteCase } from "../suite.ts";
import { memoryCase, untyped } from "./fixture.ts";
import type { MemoryFixture, MemoryMaker } from "./fixture.ts";

/** Search by words: what was acknowledged is found, what is gone is not, whatever is indexed by then. */
export function wordCases(maker: MemoryMaker): SuiteCase[] {
  return [...findingCases(maker), ...pagingCases(maker), ...refusalCases(maker)];
}

function findingCases(maker: MemoryMaker): SuiteCase[] {
  return [
    memoryCase(
      maker,
      "a write is found by its words, never by what it said before",
      bothWays(async ({ memory }, index) => {
        await memory.set("a", "The horses are running");
        await index();
        assert.deepEqual(await keysOf(memory, "a horse ran"), ["a"]);
        await memory.set("a", "a cat sleeps");
        assert.deepEqual(await keysOf(memory, "horse"), []);
        assert.deepEqual(await keysOf(memory, "cats"), ["a"]);
        await index();
        assert.deepEqual(await keysOf(memory, "horse"), []);
        assert.deepEqual(await keysOf(memory, "cats"), ["a"]);
        await memory.delete("a");
        assert.deepEqual(await keysOf(memory, "cats"), []);
        await index();
        assert.deepEqual(await keysOf(memory, "cats"), []);
      }),
    ),
    memoryCase(
      maker,
      "what is said to be searchable is searched",
      bothWays(async ({ memory }, index) => {
        await memory.set("path", { body: "apples", title: "pears" }, { text: "$.body" });
        await memory.set("literal", { n: 1 }, { text: "apples" });
        await memory.set("none", "apples", { index: false });
        await memory.set("leaves", { a: ["plums", { b: "apples" }] });
        await index();
        assert.deepEqual((await keysOf(memory, "apple")).toSorted(), ["leaves", "literal", "path"]);
        assert.deepEqual(await keysOf(memory, "pear"), []);
        await memory.set("none", "apples");
        assert.equal((await keysOf(memory, "apple")).length, 4);
      }),
    ),
    memoryCase(
      maker,
      "a search stays in its namespace, or goes below it",
      bothWays(async ({ memory }, index) => {
        for (const path of ["1", "10", "1/x", "1-x"])
          await memory.namespace(path).set("k", "apples");
        await index();
        const one = memory.namespace("1");
        assert.deepEqual(await namespacesOf(one, {}), [one.path]);
        assert.deepEqual(await namespacesOf(one, { below: true }), [one.path, `${one.path}/x`]);
        await one.clear({ below: true });
        assert.deepEqual(await namespacesOf(one, { below: true }), []);
        assert.equal((await namespacesOf(memory, { below: true })).length, 2);
        await one.set("k2", "apples");
        assert.deepEqual(await namespacesOf(one, { below: true }), [one.path]);
      }),
    ),
    memoryCase(
      maker,
      "conditions are combined, and the page is filled",
      bothWays(async ({ memory }, index) => {
        const items = Array.from({ length: 300 }, (_, n) => ({
          type: "set" as const,
          key: `${n % 2 === 0 ? "even" : "odd"}:${n}`,
          value: `apples ${"pears ".repeat(n % 7)}`,
          metadata: { n },
          tags: n % 50 === 0 ? ["fifty"] : [],
        }));
        await memory.batchOperations(items);
        await index();
        assert.equal((await keysOf(memory, "apple", { limit: 300 })).length, 300);
        assert.equal((await keysOf(memory, "apple", { pattern: "odd:*", limit: 100 })).length, 100);
        const wanted = { metadataFilter: { n: { $gte: 290 } }, pattern: "even:*" };
        assert.deepEqual((await keysOf(memory, "apple", wanted)).toSorted(), [
          "even:290",
          "even:292",
          "even:294",
          "even:296",
          "even:298",
        ]);
        assert.equal((await keysOf(memory, "apple", { tags: ["fifty"] })).length, 6);
        assert.deepEqual(await keysOf(memory, "apple", { tags: ["none"] }), []);
      }),
    ),
    memoryCase(
      maker,
      "explain says what each word gives",
      bothWays(async ({ memory }, index) => {
        await memory.set("a", "apples and pears");
        await memory.set("b", "apples");
        await index();
        const page = await memory.search({
          query: "a pear or an apple",
          mode: "keyword",
          explain: true,
        });
        assert.ok(page.explain?.access === "words");
        assert.equal(page.explain.documents, 2);
        assert.deepEqual(page.explain.terms, [
          { term: "pear", documents: 1 },
          { term: "appl", documents: 2 },
        ]);
        const [first] = page.explain.items;
        assert.equal(first?.key, "a");
        const words = first?.words ?? {};
        assert.deepEqual(Object.keys(words), ["pear", "appl"]);
        const sum = Object.values(words).reduce((total, one) => total + one, 0);
        assert.ok(Math.abs(sum - (first?.score ?? 0)) < 1e-9);
        assert.equal(page.items[0]?.score, first?.score);
      }),
    ),
  ];
}

function pagingCases(maker: MemoryMaker): SuiteCase[] {
  return [
    memoryCase(
      maker,
      "pages neither repeat nor skip what lives throughout",
      bothWays(async ({ memory }, index) => {
        const texts = (n: number): string =>
          `apples ${"pears ".repeat(n % 9)}${"plums ".repeat(n % 4)}`;
        for (let n = 0; n < 60; n += 1) await memory.set(`k${n}`, texts(n));
        await index();
        const whole = await keysOf(memory, "apple pear plum", { limit: 100 });
        assert.equal(whole.length, 60);
        const gone = new Set<string>();
        const seen: string[] = [];
        let cursor: string | undefined;
        for (let page = 0; ; page += 1) {
          const { items, nextCursor } = await memory.search({
            query: "apple pear plum",
            mode: "keyword",
            limit: 7,
            ...(cursor === undefined ? {} : { cursor }),
          });
          seen.push(...items.map(({ key }) => key));
          if (nextCursor === undefined) break;
          cursor = nextCursor;
          // Others write: scores change, something goes, something comes, something says something else.
          const doomed = whole[whole.length - 1 - page];
          if (doomed !== undefined) {
            await memory.delete(doomed);
            gone.add(doomed);
          }
          await memory.set(`new${page}`, "apples pears plums");
          if (page === 1) await index();
        }
        assert.deepEqual(
          seen.filter((key) => !gone.has(key)),
          whole.filter((key) => !gone.has(key)),
        );
        assert.ok(gone.size > 5);
      }),
    ),
    memoryCase(maker, "a page never shows what no longer says so", async ({ memory }) => {
      for (let n = 0; n < 10; n += 1) await memory.set(`k${n}`, "apples");
      const request = { query: "apples", mode: "keyword", limit: 5 } as const;
      const { items, nextCursor } = await memory.search(request);
      const left = (await keysOf(memory, "apples")).filter((key) =>
        items.every((item) => item.key !== key),
      );
      await memory.set(left[0] ?? "", "pears");
      const rest = await memory.search({ ...request, cursor: nextCursor ?? "" });
      assert.deepEqual(
        rest.items.map(({ key }) => key),
        left.slice(1),
      );
      assert.equal(rest.nextCursor, undefined);
    }),
    memoryCase(maker, "a cursor of another request is refused", async ({ memory }) => {
      for (let n = 0; n < 3; n += 1) await memory.set(`k${n}`, "apples");
      const asked = { query: "apples", mode: "keyword", limit: 1 } as const;
      const { nextCursor = "" } = await memory.search(asked);
      const wrong: SearchOptions[] = [
        { ...asked, query: "pears", cursor: nextCursor },
        { ...asked, below: true, cursor: nextCursor },
        { ...asked, cursor: nextCursor.slice(0, 20) },
        { ...asked, cursor: "AAAA" },
        { limit: 1, cursor: nextCursor },
      ];
      for (const options of wrong)
        await expectCode("INVALID_CURSOR", () => memory.search(options), JSON.stringify(options));
    }),
  ];
}

function refusalCases(maker: MemoryMaker): SuiteCase[] {
  return [
    memoryCase(maker, "a query that is no question is refused", async ({ memory }) => {
      await memory.set("k", "apples");
      const long = "x".repeat(1024 * 1024);
      const error = await expectCode("INVALID_ARGUMENT", () =>
        memory.search({ query: long, mode: "keyword" }),
      );
      assert.equal(error.field, "query");
      assert.ok(error.message.length < 500);
      for (const options of [{ query: 1 }, { query: "a", mode: "words" }])
        await expectCode("INVALID_ARGUMENT", () => memory.search(untyped(JSON.stringify(options))));
      assert.deepEqual(await keysOf(memory, "the of and"), []);
      assert.deepEqual(await keysOf(memory, ""), []);
      assert.deepEqual(await keysOf(memory, "\u0000 \ud800 apples"), ["k"]);
    }),
  ];
}

type Body = (fixture: MemoryFixture, index: () => Promise<void>) => Promise<void>;

/** With nothing indexed, and with everything indexed at once where the case says so. */
function bothWays(body: Body): (fixture: MemoryFixture) => Promise<void> {
  return async ({ memory, manager }) => {
    await body({ memory: memory.namespace("unindexed"), manager }, async () => {});
    await body({ memory: memory.namespace("indexed"), manager }, async () => {
      await manager.optimize();
    });
  };
}

async function found(
  memory: Memory,
  query: string,
  options: SearchOptions = {},
): Promise<readonly MemoryItem[]> {
  const { items, indexLag } = await memory.search({ query, mode: "keyword", ...options });
  assert.equal(indexLag, undefined);
  for (const { score } of items) assert.ok((score ?? 0) > 0);
  return items;
}

async function keysOf(memory: Memory, query: string, options?: SearchOptions): Promise<string[]> {
  return (await found(memory, query, options)).map(({ key }) => key);
}

async function namespacesOf(memory: Memory, options: SearchOptions): Promise<string[]> {
  return (await found(memory, "apple", options)).map(({ namespace }) => namespace).toSorted();
}
