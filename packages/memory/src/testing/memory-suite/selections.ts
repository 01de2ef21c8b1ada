import assert from "node:assert/strict";
import { expectCode } from "../expect-code.ts";
import type { Memory } from "../../manager/memory.ts";
import type { SuiteCase } from "../suite.ts";
import { collect, isDeepFrozen, memoryCase } from "./fixture.ts";
import type { MemoryMaker } from "./fixture.ts";

const ALL = { pattern: "*", below: true };

async function keysOf(memory: Memory, options: Parameters<Memory["search"]>[0]): Promise<string[]> {
  return (await memory.search(options)).items.map((item) => item.key);
}

/** Namespaces, search, forget, clear, export and import. */
export function selectionCases(maker: MemoryMaker): SuiteCase[] {
  return [
    memoryCase(maker, "namespaces are exact by segment", async ({ memory }) => {
      const one = memory.namespace(["users", "1"]);
      const ten = memory.namespace("users/10");
      const deep = one.namespace("x");
      assert.equal(deep.path, `${memory.path}/users/1/x`);
      for (const place of [memory, one, ten, deep]) await place.set("k", place.path);
      for (const place of [memory, one, ten, deep]) {
        assert.equal(await place.get("k"), place.path);
        assert.equal((await place.getItem("k", { consistency: "latest" }))?.value, place.path);
        assert.deepEqual(await keysOf(place, {}), ["k"]);
      }
      assert.equal((await one.search(ALL)).items.length, 2);
      assert.equal((await memory.search(ALL)).items.length, 4);
      assert.equal(await memory.get("users/1/k"), undefined);
      await one.clear({ below: true });
      assert.equal(await deep.get("k"), undefined);
      assert.equal(await ten.get("k"), ten.path);
    }),
    memoryCase(maker, "clear is seen at once and leaves no way back", async ({ memory }) => {
      const below = memory.namespace("b");
      await memory.set("k", 1, { tierHint: "l0", tags: ["t"] });
      await below.set("k", 2, { tierHint: "l0" });
      const { version } = await memory.clear();
      assert.equal(await memory.get("k"), undefined);
      assert.equal(memory.peek("k"), undefined);
      assert.deepEqual(await keysOf(memory, { tags: ["t"] }), []);
      assert.deepEqual(await collect(memory.exportItems()), []);
      assert.equal(await below.get("k"), 2);
      assert.equal((await memory.delete("k")).existed, false);
      const again = await memory.set("k", 3, { ifVersion: null });
      assert.ok(Number(again.version) > Number(version));
      assert.equal(await memory.get("k"), 3);
    }),
    memoryCase(
      maker,
      "search finds by pattern, metadata and tags, in pages",
      async ({ memory }) => {
        for (let n = 0; n < 12; n += 1)
          await memory.set(`${n % 2 === 0 ? "even" : "odd"}:${n}`, n, {
            metadata: { n },
            tags: n < 6 ? ["low"] : ["high"],
          });
        assert.deepEqual(await keysOf(memory, { pattern: "even:?" }), [
          "even:0",
          "even:2",
          "even:4",
          "even:6",
          "even:8",
        ]);
        assert.deepEqual(await keysOf(memory, { metadataFilter: { n: { $gte: 10 } } }), [
          "even:10",
          "odd:11",
        ]);
        assert.equal((await keysOf(memory, { tags: ["low"], pattern: "odd:*" })).length, 3);
        const pages: string[][] = [];
        let cursor: string | undefined;
        do {
          const page = await memory.search({
            limit: 5,
            ...(cursor === undefined ? {} : { cursor }),
          });
          assert.ok(page.items.every(isDeepFrozen));
          pages.push(page.items.map((item) => item.key));
          cursor = page.nextCursor;
        } while (cursor !== undefined);
        assert.deepEqual(
          pages.map((page) => page.length),
          [5, 5, 2],
        );
        assert.equal(new Set(pages.flat()).size, 12);
      },
    ),
    memoryCase(maker, "a cursor gives no way into another namespace", async ({ memory }) => {
      const mine = memory.namespace("mine");
      const theirs = memory.namespace("theirs");
      for (const key of ["a", "b", "c"]) {
        await mine.set(key, "mine");
        await theirs.set(key, "theirs");
      }
      const { nextCursor } = await theirs.search({ limit: 1 });
      assert.ok(nextCursor !== undefined);
      const outcome = await Promise.allSettled([mine.search({ cursor: nextCursor })]);
      if (outcome[0]?.status === "fulfilled")
        assert.ok(outcome[0].value.items.every((item) => item.value === "mine"));
      await expectCode("INVALID_CURSOR", () => mine.search({ cursor: "nonsense" }));
    }),
    memoryCase(
      maker,
      "forget takes exactly the selection, from every place",
      async ({ memory }) => {
        const table: [Parameters<Memory["forget"]>[0], string[]][] = [
          [{ keys: ["a1", "absent"] }, ["a2", "b1"]],
          [{ pattern: "a*" }, ["b1"]],
          [{ tags: ["t"] }, ["a2"]],
          [{ metadataFilter: { n: 2 } }, ["a1", "b1"]],
          [{ pattern: "*" }, []],
        ];
        for (const [selection, left] of table) {
          await memory.set("a1", 1, { tags: ["t"], tierHint: "l0" });
          await memory.set("a2", 2, { metadata: { n: 2 }, tierHint: "l0" });
          await memory.set("b1", 3, { tags: ["t"], tierHint: "l0" });
          const what = JSON.stringify(selection);
          const dry = await memory.forget({ ...selection, dryRun: true });
          assert.deepEqual([dry.forgotten, dry.dryRun], [3 - left.length, true], what);
          assert.equal((await keysOf(memory, {})).length, 3, what);
          const receipt = await memory.forget(selection);
          assert.deepEqual([receipt.forgotten, receipt.dryRun], [3 - left.length, false], what);
          assert.ok(Object.keys(receipt.places).length > 0);
          assert.ok(
            Object.values(receipt.places).every((state) => state === "removed"),
            what,
          );
          for (const key of ["a1", "a2", "b1"]) {
            assert.equal(await memory.exists(key), left.includes(key), `${key} after ${what}`);
            if (!left.includes(key)) assert.equal(memory.peek(key), undefined);
          }
          assert.deepEqual(await keysOf(memory, {}), left, what);
        }
      },
    ),
    memoryCase(maker, "a large forget becomes a job that ends", async ({ memory, manager }) => {
      for (const half of ["a", "b"])
        await memory.batchOperations(
          Array.from({ length: 700 }, (_, n) => ({ type: "set", key: `k${half}${n}`, value: n })),
        );
      await memory.set("stays", 1);
      const receipt = await memory.forget({ pattern: "k*", jobAbove: 10 });
      assert.ok(receipt.job !== undefined);
      let state = "";
      for (let rounds = 0; rounds < 1_000 && state !== "done"; rounds += 1) {
        await manager.optimize();
        state = (await memory.forgetJob(receipt.job))?.state ?? "";
      }
      assert.equal(state, "done");
      assert.deepEqual(await keysOf(memory, {}), ["stays"]);
      assert.equal(await memory.get("ka1"), undefined);
      assert.equal(await memory.namespace("other").forgetJob(receipt.job), undefined);
    }),
    memoryCase(maker, "what is exported can be imported, and again", async ({ memory }) => {
      const from = memory.namespace("from");
      const to = memory.namespace("to");
      await from.set("b", { v: 2 }, { metadata: { m: 1 }, tags: ["t"], ttlSeconds: 5_000 });
      await from.set("a", "\u0000");
      await from.namespace("sub").set("c", null);
      const lines = await collect(from.exportItems());
      assert.deepEqual(
        lines.map((line) => line.key),
        ["a", "b"],
      );
      const rest = await collect(from.exportItems({ after: "a" }));
      assert.deepEqual(
        rest.map((line) => line.key),
        ["b"],
      );
      const all = await collect(from.exportItems({ below: true }));
      assert.equal(all.length, 3);
      for (let times = 0; times < 2; times += 1) {
        const receipt = await to.importItems(lines);
        assert.deepEqual(receipt, { imported: 2, lines: 2, failed: [] });
      }
      const item = await to.getItem("b");
      assert.deepEqual([item?.value, item?.metadata, item?.tags], [{ v: 2 }, { m: 1 }, ["t"]]);
      assert.equal(item?.expiresAt, (await from.getItem("b"))?.expiresAt);
      assert.equal(await to.get("a"), "\u0000");
    }),
    memoryCase(
      maker,
      "bad lines of an import are named, and keep out their thousand",
      async ({ memory }) => {
        const receipt = await memory.importItems([
          { key: "a", value: 1 },
          { key: "", value: 1 },
          "nonsense",
          { key: "b" },
        ]);
        assert.deepEqual([receipt.imported, receipt.lines], [0, 4]);
        const codes = new Map(receipt.failed.map(({ line, code }) => [line, code]));
        assert.equal(codes.get(2), "INVALID_KEY");
        assert.ok(codes.has(3) && codes.has(4));
        assert.equal(await memory.exists("a", { consistency: "latest" }), false);
      },
    ),
  ];
}
