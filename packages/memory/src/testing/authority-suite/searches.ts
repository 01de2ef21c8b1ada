import assert from "node:assert/strict";
import { expectCode } from "../expect-code.ts";
import type { SuiteCase } from "../suite.ts";
import { authorityCase } from "./fixture.ts";
import type { AuthorityFixture, AuthorityMaker } from "./fixture.ts";

const FILTERS: readonly [object, string[]][] = [
  [{}, ["a", "b", "c", "d", "e"]],
  [{ n: 1 }, ["a"]],
  [{ n: { $eq: 1 } }, ["a"]],
  [{ n: { $ne: 1 } }, ["b", "c", "d", "e"]],
  [{ n: { $gt: 1 } }, ["b"]],
  [{ n: { $gte: 1, $lt: 2 } }, ["a"]],
  [{ n: { $lte: 2 } }, ["a", "b"]],
  [{ n: { $gt: "0" } }, ["c"]],
  [{ n: { $in: [1, "1"] } }, ["a", "c"]],
  [{ n: { $nin: [1, "1"] } }, ["b", "d", "e"]],
  [{ n: null }, ["d"]],
  [{ n: { $exists: true } }, ["a", "b", "c", "d"]],
  [{ n: { $exists: false } }, ["e"]],
  [{ n: { $not: { $gt: 1 } } }, ["a", "c", "d", "e"]],
  [{ $and: [{ n: { $exists: true } }, { $not: { n: 1 } }] }, ["b", "c", "d"]],
  [{ $or: [{ n: 2 }, { list: [1, 2] }] }, ["b", "e"]],
  [{ list: { $eq: [2, 1] } }, []],
  [{ deep: { x: { y: 1 } } }, ["e"]],
  [{ yes: true }, ["e"]],
  [{ yes: { $gt: false } }, ["e"]],
  [{ yes: "true" }, []],
];

const PATTERNS: readonly [string, string[]][] = [
  ["*", ["A:1", "a%b", "a/b", "a:1", "a:10", "a_b", "axb", "b:1", "[x]", "\\", "\u{1f352}"]],
  ["a:*", ["a:1", "a:10"]],
  ["a:1", ["a:1"]],
  ["a:?", ["a:1"]],
  ["a?b", ["a%b", "a/b", "a_b", "axb"]],
  ["a%b", ["a%b"]],
  ["a_b", ["a_b"]],
  ["[ab]:1", ["a:1", "b:1"]],
  ["[!a]:1", ["A:1", "b:1"]],
  ["\\[x\\]", ["[x]"]],
  ["\\\\", ["\\"]],
  ["?", ["\\", "\u{1f352}"]],
  ["*1*", ["A:1", "a:1", "a:10", "b:1"]],
  ["nothing*", []],
];

async function putFilterItems(f: AuthorityFixture): Promise<void> {
  await f.put("a", { metadata: { n: 1 } });
  await f.put("b", { metadata: { n: 2 } });
  await f.put("c", { metadata: { n: "1" } });
  await f.put("d", { metadata: { n: null } });
  await f.put("e", { metadata: { list: [1, 2], deep: { x: { y: 1 } }, yes: true } });
}

/** Search by pattern, metadata and tags, in pages. */
export function searchCases(maker: AuthorityMaker): SuiteCase[] {
  return [
    authorityCase(maker, "each filter finds what it says", async (f) => {
      await putFilterItems(f);
      for (const [metadataFilter, expected] of FILTERS) {
        const found = await f.keys({ metadataFilter: { ...metadataFilter } });
        assert.deepEqual(found, expected, JSON.stringify(metadataFilter));
      }
    }),
    authorityCase(maker, "each pattern finds what it says", async (f) => {
      const [, keys] = PATTERNS[0] ?? ["", []];
      await f.authority.write(keys.map((key) => f.putOperation(key)));
      for (const [pattern, expected] of PATTERNS)
        assert.deepEqual((await f.keys({ pattern })).toSorted(), expected.toSorted(), pattern);
    }),
    authorityCase(maker, "results come in byte order of the key", async (f) => {
      const keys = ["B", "a", "b", "\u00e9", "\uffff", "\u{1f352}"];
      await f.authority.write(keys.toReversed().map((key) => f.putOperation(key)));
      assert.deepEqual(await f.keys(), keys);
    }),
    authorityCase(maker, "all tags must be there", async (f) => {
      await f.put("a", { tags: ["x", "y"] });
      await f.put("b", { tags: ["y"] });
      assert.deepEqual(await f.keys({ tags: ["y"] }), ["a", "b"]);
      assert.deepEqual(await f.keys({ tags: ["y", "x"] }), ["a"]);
      assert.deepEqual(await f.keys({ tags: ["z"] }), []);
    }),
    authorityCase(maker, "pattern, filter and tags are joined by and", async (f) => {
      for (let n = 0; n < 12; n += 1)
        await f.put(`${n % 2 === 0 ? "even" : "odd"}:${n}`, {
          metadata: { third: n % 3 },
          tags: n < 6 ? ["low"] : ["high"],
        });
      const request = { pattern: "even:*", metadataFilter: { third: 0 }, tags: ["high"] };
      assert.deepEqual(await f.keys(request), ["even:6"]);
    }),
    authorityCase(
      maker,
      "search sees exactly its namespace, or all below it by segment",
      async (f) => {
        const base = f.namespace;
        for (const namespace of [base, `${base}/1`, `${base}/1/x`, `${base}/10`, `${base}0`])
          await f.put("k", { namespace });
        const where = async (namespace: string, below: boolean): Promise<string[]> =>
          (await f.search({ namespace, below })).records.map((record) => record.namespace);
        assert.deepEqual(await where(`${base}/1`, false), [`${base}/1`]);
        assert.deepEqual(await where(`${base}/1`, true), [`${base}/1`, `${base}/1/x`]);
        assert.deepEqual(await where(base, true), [base, `${base}/1`, `${base}/1/x`, `${base}/10`]);
      },
    ),
    authorityCase(maker, "pages neither repeat nor skip, whatever their size", async (f) => {
      const keys = Array.from({ length: 23 }, (_, n) => `k${String(n).padStart(2, "0")}`);
      await f.authority.write(keys.map((key) => f.putOperation(key, { tags: ["t"] })));
      for (const limit of [1, 2, 7, 22, 23, 24]) {
        const found: string[] = [];
        let cursor: string | undefined;
        do {
          const page = await f.search({ pattern: "k*", tags: ["t"], limit, cursor });
          assert.ok(page.records.length <= limit);
          found.push(...page.records.map((record) => record.key));
          cursor = page.nextCursor;
        } while (cursor !== undefined);
        assert.deepEqual(found, keys, `pages of ${limit}`);
      }
    }),
    authorityCase(
      maker,
      "a page goes on where it ended although items came and went",
      async (f) => {
        await f.authority.write(["a", "b", "c", "d", "e"].map((key) => f.putOperation(key)));
        const page = await f.search({ limit: 2 });
        await f.authority.write([
          f.removeOperation("b"),
          f.removeOperation("c"),
          f.putOperation("aa"),
        ]);
        assert.deepEqual(await f.keys({ cursor: page.nextCursor }), ["d", "e"]);
      },
    ),
    authorityCase(maker, "a cursor that is none of ours is refused", async (f) => {
      await f.put("a");
      for (const cursor of ["", "x", "e30", "bnVsbA", "\u0000", "a".repeat(5000)])
        await expectCode("INVALID_CURSOR", () => f.search({ cursor }), JSON.stringify(cursor));
    }),
    authorityCase(maker, "the plan says how candidates were found", async (f) => {
      await f.put("a", { metadata: { n: 1 }, tags: ["t"] });
      const planOf = async (request: object): Promise<string | undefined> =>
        (await f.search({ ...request, explain: true })).plan?.access;
      assert.equal(await planOf({ pattern: "a*" }), "key-range");
      assert.equal(await planOf({ metadataFilter: { n: 1 } }), "metadata-index");
      assert.equal(await planOf({ tags: ["t"] }), "tag-index");
      assert.equal(await planOf({ metadataFilter: { n: { $gt: 0 } } }), "namespace-walk");
      assert.equal((await f.search({})).plan, undefined);
    }),
  ];
}
