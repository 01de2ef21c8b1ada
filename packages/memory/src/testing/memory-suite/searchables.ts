import assert from "node:assert/strict";
import type { ExportLine, Memory } from "../../manager/memory.ts";
import { expectCode } from "../expect-code.ts";
import type { SuiteCase } from "../suite.ts";
import { collect, memoryCase, untyped } from "./fixture.ts";
import type { MemoryMaker } from "./fixture.ts";

/** What of an item is searchable is stored with it, and stays until something else is said. */
export function searchableCases(maker: MemoryMaker): SuiteCase[] {
  return [
    memoryCase(maker, "text, index and embed are stored with an item", async ({ memory }) => {
      await memory.set("plain", 1, { index: true, embed: true });
      await memory.set("all", { body: "b" }, { text: "$.body", index: false, embed: false });
      await memory.batchOperations([
        { type: "set", key: "literal", value: 1, text: "words of mine" },
        { type: "set", key: "unfound", value: 1, index: false },
      ]);
      assert.deepEqual(await searchablesOf(memory), {
        plain: {},
        all: { text: "$.body", index: false, embed: false },
        literal: { text: "words of mine" },
        unfound: { index: false },
      });
    }),
    memoryCase(
      maker,
      "a set replaces what is searchable, all else keeps it",
      async ({ memory }) => {
        const said = { text: "$.n", embed: false };
        for (const key of ["set", "touch", "patch", "update", "changed", "batch"])
          await memory.set(key, { n: "a" }, said);
        await memory.set("set", { n: "b" });
        await memory.touch("touch", { ttlSeconds: 500 });
        await memory.mergePatch("patch", { m: "c" });
        await memory.update("update", () => ({ n: "d" }));
        await memory.update("changed", () => ({ n: "e" }), { text: "else" });
        await memory.batchOperations([
          { type: "touch", key: "batch", ttlSeconds: 500 },
          { type: "set", key: "new", value: 1 },
        ]);
        await memory.update("made", () => ({ n: "f" }));
        assert.deepEqual(await searchablesOf(memory), {
          set: {},
          touch: said,
          patch: said,
          update: said,
          changed: { text: "else" },
          batch: said,
          new: {},
          made: {},
        });
      },
    ),
    memoryCase(maker, "what is deleted leaves nothing to the next item", async ({ memory }) => {
      for (const key of ["deleted", "cleared"]) await memory.set(key, "a", { text: "secret" });
      await memory.delete("deleted");
      await memory.update("deleted", () => "b");
      assert.deepEqual(await searchablesOf(memory), { deleted: {}, cleared: { text: "secret" } });
      await memory.clear();
      await memory.update("cleared", () => "b");
      await memory.getOrSet("loaded", () => "c", { text: "mine" });
      assert.deepEqual(await searchablesOf(memory), { cleared: {}, loaded: { text: "mine" } });
    }),
    memoryCase(maker, "an export carries it to an import", async ({ memory, manager }) => {
      await memory.set("a", { body: "b" }, { text: "$.body", index: false });
      await memory.set("b", "c");
      const other = manager.namespace([...memory.path.split("/"), "copy"]);
      await other.importItems(await collect(memory.exportItems()));
      assert.deepEqual(await searchablesOf(other), { a: { text: "$.body", index: false }, b: {} });
      const { failed } = await other.importItems([{ key: "c", value: 1, text: "$." }]);
      assert.deepEqual(failed, [{ line: 1, code: "INVALID_ARGUMENT" }]);
    }),
    memoryCase(maker, "what cannot be searched is refused", async ({ memory }) => {
      const wrong = [
        { text: "$.a b" },
        { text: "$[x]" },
        { text: '$["a' },
        { text: `$${".a".repeat(100)}` },
        { text: "x".repeat(8 * 1024 + 1) },
        { index: "no" },
        { embed: null },
      ];
      for (const options of wrong) {
        const set = untyped(JSON.stringify(options));
        await expectCode("INVALID_ARGUMENT", () => memory.set("k", 1, set), JSON.stringify(set));
        const batch = [{ type: "set", key: "k", value: 1, ...set }];
        await expectCode("INVALID_ARGUMENT", () =>
          memory.batchOperations(untyped(JSON.stringify(batch))),
        );
      }
      assert.equal(await memory.exists("k"), false);
    }),
  ];
}

type Searchable = Pick<ExportLine, "text" | "index" | "embed">;

async function searchablesOf(memory: Memory): Promise<{ readonly [key: string]: Searchable }> {
  const lines = await collect(memory.exportItems());
  const entries = lines.map(({ key, text, index, embed }): [string, Searchable] => [
    key,
    {
      ...(text === undefined ? {} : { text }),
      ...(index === undefined ? {} : { index }),
      ...(embed === undefined ? {} : { embed }),
    },
  ]);
  return Object.fromEntries(entries);
}
