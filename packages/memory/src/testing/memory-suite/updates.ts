import assert from "node:assert/strict";
import { expectCode } from "../expect-code.ts";
import type { SuiteCase } from "../suite.ts";
import { memoryCase } from "./fixture.ts";
import type { MemoryMaker } from "./fixture.ts";

const LATEST = { consistency: "latest" } as const;

/** update, getOrSet, mergePatch and what concurrency does to them. */
export function updateCases(maker: MemoryMaker): SuiteCase[] {
  return [
    memoryCase(maker, "update builds on what is there", async ({ memory }) => {
      const add = (current: number | undefined): number => (current ?? 0) + 1;
      await memory.update("k", add);
      await memory.update<number>("k", async (current) => add(current));
      assert.equal(await memory.get("k"), 2);
    }),
    memoryCase(maker, "update that decides nothing changes nothing", async ({ memory }) => {
      const { version } = await memory.set("k", 1);
      assert.equal(await memory.update("k", () => undefined), undefined);
      assert.equal((await memory.getItem("k", LATEST))?.version, version);
      await assert.rejects(
        memory.update("k", () => {
          throw new Error("no");
        }),
        /no/,
      );
      assert.equal(await memory.get("k", LATEST), 1);
    }),
    memoryCase(maker, "twenty concurrent updates lose nothing", async ({ memory }) => {
      await Promise.all(
        Array.from({ length: 20 }, () =>
          memory.update<number>("k", (current) => (current ?? 0) + 1),
        ),
      );
      assert.equal(await memory.get("k", LATEST), 20);
      assert.equal(await memory.get("k"), 20);
    }),
    memoryCase(maker, "of 50 concurrent creations exactly one wins", async ({ memory }) => {
      const results = await Promise.allSettled(
        Array.from({ length: 50 }, (_, n) => memory.compareAndSet("k", null, n)),
      );
      const winner = results.findIndex(({ status }) => status === "fulfilled");
      assert.equal(results.filter(({ status }) => status === "fulfilled").length, 1);
      assert.equal(await memory.get("k"), winner);
    }),
    memoryCase(maker, "getOrSet loads once for all who wait", async ({ memory }) => {
      let loads = 0;
      const load = async (): Promise<{ n: number }> => {
        loads += 1;
        await Promise.resolve();
        return { n: loads };
      };
      const values = await Promise.all(
        Array.from({ length: 20 }, () => memory.getOrSet("k", load, { ttlSeconds: 500 })),
      );
      assert.ok(values.every((value) => value.n === 1));
      assert.deepEqual(await memory.getOrSet("k", load), { n: 1 });
      assert.equal(loads, 1);
      assert.ok(((await memory.getItem("k"))?.ttlSeconds ?? 0) > 0);
    }),
    memoryCase(
      maker,
      "a loader that fails stores nothing and is asked again",
      async ({ memory }) => {
        const failing = (): never => {
          throw new Error("cannot load");
        };
        await assert.rejects(memory.getOrSet("k", failing), /cannot load/);
        assert.equal(await memory.exists("k", LATEST), false);
        assert.equal(await memory.getOrSet("k", () => 7), 7);
        assert.equal(await memory.get("k", LATEST), 7);
      },
    ),
    memoryCase(maker, "null is a value, not an absence", async ({ memory }) => {
      await memory.set("k", null);
      assert.equal(await memory.get("k"), null);
      assert.equal(await memory.exists("k"), true);
      assert.equal(await memory.getOrSet<number | null>("k", () => 1), null);
      assert.deepEqual(await memory.getMany(["k", "absent"]), [null, undefined]);
    }),
    memoryCase(maker, "a merge patch follows RFC 7396", async ({ memory }) => {
      const table: [unknown, unknown, unknown][] = [
        [{ a: "b" }, { a: "c" }, { a: "c" }],
        [{ a: "b" }, { b: "c" }, { a: "b", b: "c" }],
        [{ a: "b" }, { a: null }, {}],
        [{ a: "b", b: "c" }, { a: null }, { b: "c" }],
        [{ a: ["b"] }, { a: "c" }, { a: "c" }],
        [{ a: "c" }, { a: ["b"] }, { a: ["b"] }],
        [{ a: { b: "c" } }, { a: { b: "d", c: null } }, { a: { b: "d" } }],
        [{ a: [{ b: "c" }] }, { a: [1] }, { a: [1] }],
        [
          ["a", "b"],
          ["c", "d"],
          ["c", "d"],
        ],
        [{ a: "b" }, ["c"], ["c"]],
        [{ a: "foo" }, null, null],
        [{ a: "foo" }, "bar", "bar"],
        [{ e: null }, { a: 1 }, { e: null, a: 1 }],
        [[1, 2], { a: "b", c: null }, { a: "b" }],
        [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
      ];
      for (const [target, patch, result] of table) {
        await memory.set("k", target, { metadata: { m: 1 }, tags: ["t"], ttlSeconds: 900 });
        const { version } = await memory.mergePatch("k", patch);
        const what = JSON.stringify([target, patch]);
        assert.deepEqual(await memory.get("k"), result, what);
        const item = await memory.getItem("k", LATEST);
        assert.deepEqual([item?.value, item?.version], [result, version], what);
        assert.deepEqual([item?.metadata, item?.tags], [{ m: 1 }, ["t"]]);
        assert.ok((item?.ttlSeconds ?? 0) > 800);
      }
    }),
    memoryCase(maker, "concurrent patches of different members all hold", async ({ memory }) => {
      await memory.set("k", {});
      const names = Array.from({ length: 15 }, (_, n) => `m${n}`);
      await Promise.all(names.map((name) => memory.mergePatch("k", { [name]: 1 })));
      assert.deepEqual(
        Object.keys((await memory.get("k", LATEST)) ?? {}).toSorted(),
        names.toSorted(),
      );
    }),
    memoryCase(
      maker,
      "the change log tells of each change, once and in order",
      async ({ memory }) => {
        const position = await memory.changePosition();
        const versions = [
          (await memory.set("k", 1)).version,
          (await memory.touch("k")).version,
          (await memory.delete("k")).version,
        ];
        const { changes } = await memory.changes({ after: position });
        assert.deepEqual(
          changes.map(({ op, version }) => [op, String(version)]),
          [
            ["put", versions[0]],
            ["touch", versions[1]],
            ["remove", versions[2]],
          ],
        );
        await expectCode("INVALID_CURSOR", () => memory.changes({ after: "x" }));
      },
    ),
  ];
}
