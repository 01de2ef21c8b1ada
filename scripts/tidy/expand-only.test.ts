import { expect, test } from "vitest";
import { ROOT } from "../lib/workspace.ts";
import { expandOnly } from "./expand-only.ts";
import { readTree, treeOf } from "./source-tree.ts";

function problemsOf(sql: string, number = "000007", version = "1.4.0"): readonly string[] {
  const tree = treeOf({
    [`packages/memory/sql/${number}-change.sql`]: sql,
    "packages/memory/package.json": `{ "version": "${version}" }`,
  });
  return expandOnly(tree).map(({ message }) => message);
}

test.each([
  "CREATE TABLE {{schema}}.t (n int); ALTER TABLE {{schema}}.t DROP COLUMN n;",
  "CREATE TABLE {{schema}}.t (n int); CREATE UNIQUE INDEX t_n ON {{schema}}.t (n);",
  "CREATE INDEX i ON {{schema}}.items (key) WHERE key <> 'a;DROP TABLE x';",
  "ALTER TABLE {{schema}}.items ADD COLUMN a numeric(4, 2), ADD COLUMN b int NOT NULL DEFAULT 0;",
  "ALTER TABLE {{schema}}.items ALTER COLUMN body SET STORAGE EXTERNAL;",
  "-- DROP TABLE {{schema}}.items;\nUPDATE {{schema}}.meta SET value = '2' /* DROP */ WHERE true;",
  "CREATE OR REPLACE FUNCTION {{schema}}.f() RETURNS void LANGUAGE plpgsql AS $x$ BEGIN DELETE FROM a; END $x$;",
])("what the release before does not notice is fine: %s", (sql) => {
  expect(problemsOf(sql)).toEqual([]);
});

test.each([
  "DROP TABLE {{schema}}.leases;",
  "ALTER TABLE {{schema}}.items DROP COLUMN body;",
  "ALTER TABLE {{schema}}.items RENAME COLUMN body TO bytes;",
  "ALTER TABLE {{schema}}.items ADD COLUMN a int, DROP COLUMN body;",
  "ALTER TABLE {{schema}}.items ADD COLUMN a int NOT NULL;",
  "ALTER TABLE {{schema}}.items ADD CONSTRAINT c CHECK (version > 0);",
  "ALTER TABLE {{schema}}.items ALTER COLUMN version TYPE numeric;",
  "ALTER TABLE {{schema}}.items ENABLE ROW LEVEL SECURITY;",
  "CREATE UNIQUE INDEX i ON {{schema}}.changes (version);",
  "DELETE FROM {{schema}}.meta;",
  "TRUNCATE {{schema}}.changes;",
  "CREATE TABLE {{schema}}.t (n int); DROP FUNCTION {{schema}}.begin_write;",
  "DO $$ BEGIN EXECUTE 'whatever'; END $$;",
  "REVOKE ALL ON {{schema}}.items FROM PUBLIC;",
])("what may break it is refused: %s", (sql) => {
  expect(problemsOf(sql)).toHaveLength(1);
  expect(problemsOf(sql, "000006")).toEqual([]);
});

test("what a release that is out stopped using may be taken away", () => {
  const sql = "-- Nobody reads it.\n-- contracts: unused since 1.3.0\nDROP TABLE {{schema}}.old;";
  expect(problemsOf(sql)).toEqual([]);
  expect(problemsOf(sql, "000007", "1.3.0")).toEqual([
    expect.stringContaining("1.3.0 is not out") as unknown,
  ]);
  expect(problemsOf(sql, "000007", "0.9.0")).toHaveLength(1);
});

test("our own migrations keep to it", () => {
  expect(expandOnly(readTree(ROOT))).toEqual([]);
});
