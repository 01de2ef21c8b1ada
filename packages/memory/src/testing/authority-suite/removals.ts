import assert from "node:assert/strict";
import type { ItemRef } from "../../model/item.ts";
import type { Selection } from "../../tiers/authority.ts";
import type { SuiteCase } from "../suite.ts";
import { authorityCase } from "./fixture.ts";
import type { AuthorityFixture, AuthorityMaker } from "./fixture.ts";

/** Forgets a selection in chunks, as a caller would. */
async function forgetAll(
  f: AuthorityFixture,
  selection: Selection,
  options: { readonly limit: number; readonly dryRun: boolean },
): Promise<string[]> {
  const forgotten: string[] = [];
  let after: string | undefined;
  for (let chunks = 0; chunks < 1_000; chunks += 1) {
    const chunk = await f.authority.forgetChunk(selection, { ...options, after });
    assert.ok(chunk.forgotten.length <= options.limit);
    forgotten.push(...chunk.forgotten.map(({ key }) => key));
    if (chunk.next === undefined) return forgotten.toSorted();
    after = chunk.next;
  }
  return assert.fail("forget did not end");
}

async function exportAll(f: AuthorityFixture, below: boolean, limit: number): Promise<string[]> {
  const found: string[] = [];
  let after: ItemRef | undefined;
  for (let pages = 0; pages < 1_000; pages += 1) {
    const page = await f.authority.exportPage({ namespace: f.namespace, below, after, limit });
    assert.ok(page.length <= limit);
    found.push(...page.map((item) => `${item.namespace.slice(f.namespace.length)}|${item.key}`));
    after = page.at(-1);
    if (after === undefined) return found;
  }
  return assert.fail("export did not end");
}

/** Export, forget and clear. */
export function removalCases(maker: AuthorityMaker): SuiteCase[] {
  return [
    authorityCase(maker, "export goes through all live items in order, in pages", async (f) => {
      for (const key of ["c", "a", "b"]) await f.put(key, { tags: ["t"] });
      await f.put("k", { namespace: `${f.namespace}/x` });
      await f.put("k", { namespace: `${f.namespace}0` });
      await f.put("gone");
      await f.one(f.removeOperation("gone"));
      assert.deepEqual(await exportAll(f, false, 2), ["|a", "|b", "|c"]);
      assert.deepEqual(await exportAll(f, true, 1), ["|a", "|b", "|c", "/x|k"]);
    }),
    authorityCase(maker, "forget by each kind of selection takes exactly that", async (f) => {
      const fill = async (): Promise<void> => {
        await f.put("a1", { tags: ["t"], metadata: { n: 1 } });
        await f.put("a2", { metadata: { n: 2 } });
        await f.put("b1", { tags: ["t"], metadata: { n: 1 } });
        await f.put("a1", { namespace: `${f.namespace}/x`, tags: ["t"] });
      };
      const table: [Partial<Selection>, string[]][] = [
        [{ keys: ["a1", "absent"] }, ["a1"]],
        [{ pattern: "a*" }, ["a1", "a2"]],
        [{ tags: ["t"] }, ["a1", "b1"]],
        [{ metadataFilter: { n: 1 } }, ["a1", "b1"]],
        [{ pattern: "a*", tags: ["t"] }, ["a1"]],
        [{ pattern: "a*", below: true }, ["a1", "a1", "a2"]],
        [{}, ["a1", "a2", "b1"]],
      ];
      for (const [part, expected] of table) {
        await fill();
        const selection = f.selection(part);
        const what = JSON.stringify(part);
        const before = await exportAll(f, true, 100);
        assert.deepEqual(await forgetAll(f, selection, { limit: 2, dryRun: true }), expected, what);
        assert.deepEqual(await exportAll(f, true, 100), before, `dry run of ${what}`);
        assert.deepEqual(
          await forgetAll(f, selection, { limit: 2, dryRun: false }),
          expected,
          what,
        );
        assert.equal((await exportAll(f, true, 100)).length, 4 - expected.length, what);
        assert.deepEqual(await forgetAll(f, selection, { limit: 2, dryRun: false }), [], what);
      }
    }),
    authorityCase(
      maker,
      "what was forgotten is in the change log and can live again",
      async (f) => {
        const start = await f.authority.changePosition();
        const put = await f.put("k");
        await forgetAll(f, f.selection({ pattern: "*" }), { limit: 10, dryRun: false });
        const last = (await f.changesFrom(start, 2)).at(-1);
        assert.ok(last?.op === "remove" && last.version > put.version);
        assert.ok((await f.put("k")).version > last.version);
      },
    ),
    authorityCase(maker, "clear empties exactly the namespace, or all below it", async (f) => {
      const inside = `${f.namespace}/1`;
      const places = [f.namespace, inside, `${inside}/x`, `${f.namespace}/10`];
      for (const namespace of places) await f.put("k", { namespace, tags: ["t"] });
      const lives = async (): Promise<boolean[]> => {
        const records = await f.authority.getMany(places.map((namespace) => f.ref("k", namespace)));
        return records.map((record) => record !== undefined);
      };
      await f.authority.clear(inside, false);
      assert.deepEqual(await lives(), [true, false, true, true]);
      const searched = await f.search({ below: true, tags: ["t"] });
      assert.equal(searched.records.length, 3);
      await f.authority.clear(inside, true);
      assert.deepEqual(await lives(), [true, false, false, true]);
      await f.authority.clear(f.namespace, true);
      assert.deepEqual(await lives(), [false, false, false, false]);
      assert.deepEqual(await exportAll(f, true, 100), []);
    }),
    authorityCase(maker, "after a clear the same keys live again, above its version", async (f) => {
      const old = await f.put("k");
      const { version } = await f.authority.clear(f.namespace, false);
      assert.ok(version >= old.version);
      assert.equal((await f.one(f.removeOperation("k"))).status, "absent");
      assert.equal((await f.one(f.touchOperation("k", 5))).status, "absent");
      assert.equal((await f.one(f.putOperation("k", { condition: "present" }))).status, "conflict");
      const again = await f.put("k", { condition: "absent" });
      assert.equal(again.existed, false);
      assert.ok(again.version > version);
      assert.deepEqual(await f.keys(), ["k"]);
      for (let round = 0; round < 3; round += 1) await f.authority.sweep(1000);
      assert.deepEqual(await f.keys(), ["k"]);
      assert.equal((await f.get("k"))?.version, again.version);
    }),
    authorityCase(maker, "a clear while others write leaves only what came after it", async (f) => {
      const write = async (id: number): Promise<number[]> => {
        const versions: number[] = [];
        for (let n = 0; n < 8; n += 1) versions.push((await f.put(`k${id}`)).version);
        return versions;
      };
      const [{ version }, ...written] = await Promise.all([
        f.authority.clear(f.namespace, false),
        ...Array.from({ length: 4 }, (_, id) => write(id)),
      ]);
      for (const [id, versions] of written.entries()) {
        const last = versions.at(-1) ?? 0;
        const found = (await f.get(`k${id}`))?.version;
        assert.equal(found, last > version ? last : undefined, `k${id}, cleared at ${version}`);
      }
    }),
  ];
}
