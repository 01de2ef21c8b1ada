import { expect, test } from "vitest";
import { ROOT } from "../lib/workspace.ts";
import { fileSize } from "./file-size.ts";
import { leftovers } from "./leftovers.ts";
import { links } from "./links.ts";
import { functionsStandOnce, migrations } from "./migrations.ts";
import { readTree, treeOf } from "./source-tree.ts";
import { testNames } from "./test-names.ts";

test("a file of 400 lines is fine, one of 401 is not", () => {
  const lines = (count: number): string => "x;\n".repeat(count);
  const tree = treeOf({ "a.ts": lines(400), "b.ts": lines(401), "c.md": lines(900) });
  expect(fileSize(tree).map(({ file }) => file)).toEqual(["b.ts"]);
});

test("reports marks and focused tests with their line", () => {
  const mark = "TO" + "DO";
  const tree = treeOf({
    "a.ts": `const a = 1;\n// ${mark} later\n`,
    "a.test.ts": `test.${"only"}("x", () => {});\n`,
    "b.md": `${mark} in prose is prose\n`,
  });
  expect(leftovers(tree).map(({ file, line }) => [file, line])).toEqual([
    ["a.ts", 2],
    ["a.test.ts", 1],
  ]);
});

test("migrations are consecutive and well named", () => {
  const folder = "packages/memory/sql";
  const good = treeOf({ [`${folder}/000001-items.sql`]: "", [`${folder}/000002-jobs.sql`]: "" });
  expect(migrations(good)).toEqual([]);
  const gap = treeOf({ [`${folder}/000001-items.sql`]: "", [`${folder}/000003-jobs.sql`]: "" });
  expect(migrations(gap)).toHaveLength(1);
  const double = treeOf({ [`${folder}/000001-a.sql`]: "", [`${folder}/000001-b.sql`]: "" });
  expect(migrations(double)).toHaveLength(1);
  expect(migrations(treeOf({ [`${folder}/1.sql`]: "" }))).toHaveLength(1);
});

test("a function stands once in the migrations of the first release", () => {
  const folder = "packages/memory/sql";
  const make = "CREATE FUNCTION {{schema}}.f(n int) RETURNS void";
  const again = "CREATE OR REPLACE FUNCTION {{schema}}.f(n int) RETURNS void";
  const before = { [`${folder}/000001-items.sql`]: make };
  const restated = treeOf({ ...before, [`${folder}/000002-jobs.sql`]: `-- As before.\n${again}` });
  expect(functionsStandOnce(restated)).toEqual([
    expect.objectContaining({ file: `${folder}/000002-jobs.sql` }),
  ]);
  const released = treeOf({ ...before, [`${folder}/000099-jobs.sql`]: again });
  expect(functionsStandOnce(released)).toEqual([]);
  expect(functionsStandOnce(readTree(ROOT))).toEqual([]);
});

test("two tests of one name in one suite are reported, in two suites they are not", () => {
  const tree = treeOf({
    "a.test.ts": [
      'describe("one", () => { test("same", () => {}); });',
      'describe("two", () => { test("same", () => {}); test.each([1])("same", () => {}); });',
      'test.each([1])("%s", () => {}); test.each([2])("%s", () => {});',
    ].join("\n"),
  });
  expect(testNames(tree)).toEqual([
    { file: "a.test.ts", line: 2, message: 'the test "two > same" has the name of line 2' },
  ]);
});

test("a relative link to nothing is reported, links to files, folders and elsewhere are not", () => {
  const tree = treeOf({
    "docs/a.md":
      "[x](b.md#top) [y](../src) [z](https://example.com/q) [here](#top)\n[w](../gone.md)",
    "docs/b.md": "",
    "src/c.ts": "",
  });
  expect(links(tree)).toEqual([
    { file: "docs/a.md", line: 2, message: "no such file: ../gone.md" },
  ]);
});
