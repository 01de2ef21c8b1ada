import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  describeWithPgBouncer,
  describeWithPostgres,
  sharedPostgresUrl,
  testDatabase,
} from "@cherry-ai/services/vitest";
import { startPgBouncer } from "@cherry-ai/services";
import { systemClock } from "../../model/clock.ts";
import { seededRandom } from "../../testing/seeded-random.ts";
import { PgliteDatabase } from "../embedded/pglite-database.ts";
import { PgDatabase } from "./pg-database.ts";
import type { Database, SqlValue } from "./database.ts";

const MIB = 1024 * 1024;

interface Subject {
  readonly database: Database;
  close(): Promise<void>;
}

async function one(
  database: Database,
  text: string,
  values?: readonly SqlValue[],
): Promise<{ readonly [column: string]: unknown }> {
  const [row] = await database.query({ text }, values);
  if (row === undefined) throw new Error("expected a row");
  return row;
}

/** Same bytes whatever the class: one driver gives Buffers, the other may not. */
function bytes(value: unknown): readonly number[] | null {
  if (value === null) return null;
  if (!(value instanceof Uint8Array)) throw new Error(`expected bytes, got ${typeof value}`);
  return [...value];
}

/** What both drivers promise. `start` is called once for all cases. */
function databaseSuite(start: () => Promise<Subject>): void {
  let subject: Subject;
  let database: Database;
  beforeAll(async () => {
    subject = await start();
    database = subject.database;
    await database.script("CREATE TABLE things (id int PRIMARY KEY, body bytea, tags text[])");
  });
  afterAll(() => subject?.close());

  describe("types", () => typeCases(() => database));
  describe("transactions", () => transactionCases(() => database));
  describe("errors", () => errorCases(() => database));
}

function typeCases(database: () => Database): void {
  test("columns come as the rules for rows say", async () => {
    const row = await one(
      database(),
      `SELECT 7::int2 AS small, 8::int4 AS middle, 9007199254740991::int8 AS large,
              0.5::float8 AS half, true AS yes, NULL::text AS nothing, 'é"\\' AS words,
              '{"a":[1,null]}'::jsonb AS document, ARRAY['a','b,"c"',NULL] AS texts,
              ARRAY[1,NULL]::int8[] AS numbers, '\\x00ff'::bytea AS bytes, ''::bytea AS no_bytes`,
    );
    expect(bytes(row["bytes"])).toEqual([0, 255]);
    expect(bytes(row["no_bytes"])).toEqual([]);
    expect({ ...row, bytes: undefined, no_bytes: undefined }).toEqual({
      small: 7,
      middle: 8,
      large: 9_007_199_254_740_991,
      half: 0.5,
      yes: true,
      nothing: null,
      words: 'é"\\',
      document: { a: [1, null] },
      texts: ["a", 'b,"c"', null],
      numbers: [1, null],
    });
  });

  test("time, transaction ids and snapshots come as text", async () => {
    const row = await one(
      database(),
      `SELECT now() AS at, pg_current_xact_id() AS xid, pg_current_snapshot() AS snapshot,
              current_date AS day, 1.5::numeric AS exact`,
    );
    expect(row["at"]).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d/);
    expect(row["xid"]).toMatch(/^\d+$/);
    expect(row["snapshot"]).toMatch(/^\d+:\d+:/);
    expect(row["day"]).toMatch(/^\d{4}-\d\d-\d\d$/);
    expect(row["exact"]).toBe("1.5");
  });

  test("any array of texts or byte arrays arrives as it was given", async () => {
    const text = fc.string({ unit: "binary", maxLength: 20 }).filter(isStorable);
    const texts = fc.array(fc.option(text), { maxLength: 20 });
    const bodies = fc.array(fc.option(fc.uint8Array({ maxLength: 40 })), { maxLength: 20 });
    await fc.assert(
      fc.asyncProperty(texts, bodies, async (tags, values) => {
        const row = await one(database(), "SELECT $1::text[] AS tags, $2::bytea[] AS bodies", [
          tags,
          values,
        ]);
        expect(row["tags"]).toEqual(tags);
        const bodiesBack = row["bodies"];
        if (!Array.isArray(bodiesBack)) throw new Error("expected an array");
        expect(bodiesBack.map(bytes)).toEqual(values.map(bytes));
      }),
      { numRuns: 200 },
    );
  });

  test("what looks like array syntax stays text", async () => {
    const tags = ["", "NULL", "null", "{}", "{a,b}", '"', "\\", '\\"', ",", " ", "a\nb", "'"];
    const row = await one(database(), "SELECT $1::text[] AS tags", [tags]);
    expect(row["tags"]).toEqual(tags);
  });

  test("numbers, booleans and nulls bind alone and in arrays", async () => {
    const row = await one(
      database(),
      `SELECT $1::int8 AS n, $2::boolean AS b, $3::text AS nothing, $4::float8[] AS ns,
              $5::boolean[] AS bs, $6::int8 AS big, $7::bytea[] AS none`,
      [2 ** 53 - 1, false, null, [0.5, null, -1], [true, null], 5n, [null, null]],
    );
    expect(row).toEqual({
      n: 2 ** 53 - 1,
      b: false,
      nothing: null,
      ns: [0.5, null, -1],
      bs: [true, null],
      big: 5,
      none: [null, null],
    });
  });

  test("a value of 1 MiB and a batch of 8 MiB pass both ways", async () => {
    const value = new Uint8Array(MIB).fill(7);
    const batch = Array.from({ length: 8 }, (_, index) => new Uint8Array(MIB).fill(index));
    const back = await one(database(), "SELECT $1::bytea AS body", [value]);
    expect(back["body"]).toHaveLength(MIB);
    const rows = await database().query(
      { text: "SELECT length(b) AS n, get_byte(b, 9) AS nth FROM unnest($1::bytea[]) AS b" },
      [batch],
    );
    expect(rows).toEqual(batch.map((_, nth) => ({ n: MIB, nth })));
  });
}

/** PostgreSQL's text has no NUL, and lone surrogates are no text at all. */
function isStorable(text: string): boolean {
  return !text.includes("\0") && text.isWellFormed();
}

function transactionCases(database: () => Database): void {
  test("commits what it did, and rolls all of it back when its work throws", async () => {
    await database().transaction((tx) => tx.query({ text: "INSERT INTO things (id) VALUES (1)" }));
    const thrown = new Error("no");
    const work = database().transaction(async (tx) => {
      await tx.query({ text: "INSERT INTO things (id) VALUES (2)" });
      throw thrown;
    });
    await expect(work).rejects.toBe(thrown);
    const rows = await database().query({ text: "SELECT id FROM things WHERE id IN (1, 2)" });
    expect(rows).toEqual([{ id: 1 }]);
  });

  test("is not committed when a statement failed and its work hid that", async () => {
    const work = database().transaction(async (tx) => {
      await tx.query({ text: "INSERT INTO things (id) VALUES (3)" });
      await tx.query({ text: "SELECT 1/0" }).catch(() => {});
      return "done";
    });
    await expect(work).rejects.toMatchObject({ code: "INTERNAL" });
    expect(await database().query({ text: "SELECT id FROM things WHERE id = 3" })).toEqual([]);
  });

  test("statements sent at once run one after the other", async () => {
    const seen = await database().transaction((tx) =>
      Promise.all([1, 2, 3].map((n) => tx.query({ text: "SELECT $1::int AS n" }, [n]))),
    );
    expect(seen.flat()).toEqual([{ n: 1 }, { n: 2 }, { n: 3 }]);
  });

  test("a statement after its end is refused", async () => {
    let late: (() => Promise<unknown>) | undefined;
    await database().transaction(async (tx) => {
      late = () => tx.query({ text: "SELECT 1" });
    });
    await expect(late?.()).rejects.toThrow("after the end of its transaction");
  });

  test("calls from outside do not fall into it", async () => {
    const inside = Promise.withResolvers<undefined>();
    const outside = Promise.withResolvers<undefined>();
    const failed = database().transaction(async (tx) => {
      await tx.query({ text: "INSERT INTO things (id) VALUES (4)" });
      inside.resolve(undefined);
      await outside.promise;
      throw new Error("roll back");
    });
    await inside.promise;
    const write = database().write({ text: "INSERT INTO things (id) VALUES (5)" });
    outside.resolve(undefined);
    await expect(failed).rejects.toThrow("roll back");
    await write;
    const rows = await database().query({ text: "SELECT id FROM things WHERE id IN (4, 5)" });
    expect(rows).toEqual([{ id: 5 }]);
  });

  test("isolation and read-only are as asked", async () => {
    const level = await database().transaction(
      (tx) => tx.query({ text: "SELECT current_setting('transaction_isolation') AS level" }),
      { isolation: "repeatable read" },
    );
    expect(level).toEqual([{ level: "repeatable read" }]);
    const write = database().transaction(
      (tx) => tx.query({ text: "INSERT INTO things (id) VALUES (6)" }),
      { readOnly: true },
    );
    await expect(write).rejects.toThrow("read-only transaction");
  });

  test("a script is applied whole or not at all", async () => {
    const script = "CREATE TABLE half (id int); INSERT INTO half VALUES (1); SELECT 1/0";
    await expect(database().script(script)).rejects.toThrow("division by zero");
    const [row] = await database().query({ text: "SELECT to_regclass('half') AS there" });
    expect(row).toEqual({ there: null });
  });
}

function errorCases(database: () => Database): void {
  test("a refused statement is INTERNAL with the server's error, and the next one works", async () => {
    const failing = database().query({ name: "boom", text: "SELECT 1/$1::int AS n" }, [0]);
    await expect(failing).rejects.toMatchObject({
      code: "INTERNAL",
      cause: { code: "22012" },
    });
    const rows = await database().query({ name: "boom", text: "SELECT 1/$1::int AS n" }, [1]);
    expect(rows).toEqual([{ n: 1 }]);
  });

  test("several statements in one query are refused", async () => {
    await expect(database().query({ text: "SELECT 1; SELECT 2" })).rejects.toThrow("42601");
  });

  test("a conflict is run again whole", async () => {
    let runs = 0;
    const result = await database().transaction(async (tx) => {
      runs++;
      await tx.query({ text: "SELECT 1" });
      if (runs === 1) {
        await tx.query({
          text: "DO $$ BEGIN RAISE EXCEPTION 'made up' USING ERRCODE = '40001'; END $$",
        });
      }
      return runs;
    });
    expect(result).toBe(2);
  });

  test("a conflict without end is given up as surely not written", async () => {
    const write = database().write({
      text: "DO $$ BEGIN RAISE EXCEPTION 'made up' USING ERRCODE = '40P01'; END $$",
    });
    await expect(write).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
  });

  test("a prepared statement survives a change of what it returns", async () => {
    const all = { name: "all_shapes", text: "SELECT * FROM shapes" };
    await database().script("CREATE TABLE shapes (a int); INSERT INTO shapes VALUES (1)");
    expect(await database().query(all)).toEqual([{ a: 1 }]);
    await database().script("ALTER TABLE shapes ADD COLUMN b int");
    expect(await database().query(all)).toEqual([{ a: 1, b: null }]);
  });

  test("one name with two texts is two statements", async () => {
    expect(await database().query({ name: "same", text: "SELECT 1 AS n" })).toEqual([{ n: 1 }]);
    expect(await database().query({ name: "same", text: "SELECT 2 AS n" })).toEqual([{ n: 2 }]);
  });
}

function server(url: string): PgDatabase {
  return new PgDatabase({ url, poolMax: 4, clock: systemClock, random: seededRandom(1) });
}

describe("PgliteDatabase", () => {
  databaseSuite(async () => {
    const database = new PgliteDatabase({
      folder: ":memory:",
      clock: systemClock,
      random: seededRandom(1),
    });
    await database.open();
    return { database, close: () => database.close() };
  });
});

describeWithPostgres("PgDatabase", () => {
  databaseSuite(async () => {
    const database = server(await testDatabase());
    await database.open();
    return { database, close: () => database.close() };
  });
});

describeWithPgBouncer("PgDatabase through PgBouncer in transaction mode", () => {
  databaseSuite(async () => {
    const url = new URL(await testDatabase());
    const port = Number(new URL(sharedPostgresUrl()).port);
    const bouncer = await startPgBouncer({ postgres: { port }, poolSize: 2 });
    const database = server(bouncer.url(url.pathname.slice(1)));
    await database.open();
    return {
      database,
      close: async () => {
        await database.close();
        await bouncer.stop();
      },
    };
  });
});
