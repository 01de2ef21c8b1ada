import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startPgBouncer } from "@cherry-ai/services";
import {
  describeWithPgBouncer,
  describeWithPgvector,
  sharedPostgresUrl,
  testDatabase,
} from "@cherry-ai/services/vitest";
import pg from "pg";
import {
  SCHEMA,
  embeddedDatabase,
  openAuthority,
  serverDatabase,
} from "../../../test/support/databases.ts";
import { systemClock } from "../../model/clock.ts";
import { MemoryError } from "../../model/errors.ts";
import { intercept } from "../../testing/intercept.ts";
import { shuffle, withSeed } from "../../testing/seeded-random.ts";
import { registerSuite, vectorTierSuite } from "../../testing/index.ts";
import type { Database, Queryable, Statement } from "../postgres/database.ts";
import type { VectorEntry } from "../vector.ts";
import { PgvectorTier } from "./pgvector-tier.ts";
import type { SearchOptions } from "./search-options.ts";

function tierOn(database: Database, search?: Partial<SearchOptions>): PgvectorTier {
  return new PgvectorTier({
    database,
    schema: SCHEMA,
    clock: systemClock,
    ...(search === undefined ? {} : { search }),
  });
}

async function openTier(database: Database): Promise<PgvectorTier> {
  const tier = tierOn(database);
  await tier.initialize();
  return tier;
}

const INDEX = { number: 1, model: "m", dimensions: 2 };

function entry(key: string, more: Partial<VectorEntry> = {}): VectorEntry {
  return { namespace: "n", key, itemVersion: 1, vector: Float32Array.of(1, 0), ...more };
}

/** The statements that reach the database, in order. */
function watched(database: Database, texts: string[]): Database {
  const methods = new Set(["query", "write", "transaction"]);
  return intercept(database, methods, (method, proceed, values) => {
    const [statement] = values;
    const text =
      typeof statement === "object" && statement !== null && "text" in statement
        ? String(statement.text)
        : method;
    texts.push(text);
    return proceed();
  });
}

describe("which way a search goes", () => {
  let database: Database;
  let close: () => Promise<void>;
  beforeAll(async () => {
    database = embeddedDatabase();
    const authority = await openAuthority(database);
    close = () => authority.close();
  });
  afterAll(() => close());

  test("few are compared at once, many are walked through, a walk in vain is made good", async () => {
    const texts: string[] = [];
    const tier = tierOn(watched(database, texts), { exactRowsMax: 3, walkRowsMax: 1 });
    await tier.initialize();
    await tier.ensureIndex(INDEX);
    const keys = Array.from({ length: 9 }, (_, place) => `k${place}`);
    await tier.upsert(
      1,
      keys.slice(0, 3).map((key) => entry(key)),
    );
    const search = async (limit: number): Promise<readonly [number, boolean, number]> => {
      texts.length = 0;
      const vector = Float32Array.of(1, 0);
      const request = { index: 1, namespace: "n", below: false, vector, limit };
      const { hits, exact } = await tier.nearest(request);
      return [hits.length, exact, texts.length];
    };
    expect(await search(2)).toEqual([2, true, 1]);
    await tier.upsert(
      1,
      keys.slice(3).map((key) => entry(key)),
    );
    // Counted, then walked; the second time it is known.
    expect(await search(2)).toEqual([2, false, 2]);
    expect(await search(2)).toEqual([2, false, 1]);
    expect(await search(20)).toEqual([9, true, 2]);
    await tier.dropIndex(1);
  });

  test("the walk goes by the graph", async () => {
    const plans: string[] = [];
    const explained = intercept(database, new Set(["transaction"]), (_, __, values) => {
      const [work] = values as [(tx: Queryable) => Promise<unknown>];
      return database.transaction((tx) =>
        work({
          query: async (statement, bound) => {
            if (statement.text.includes("ORDER BY v.embedding")) {
              const rows = await tx.query({ text: `EXPLAIN ${statement.text}` }, bound);
              plans.push(rows.map((row) => String(row["QUERY PLAN"])).join("\n"));
            }
            return tx.query(statement, bound);
          },
        }),
      );
    });
    const tier = tierOn(explained, { exactRowsMax: 1 });
    await tier.initialize();
    await tier.ensureIndex(INDEX);
    await tier.upsert(1, [entry("a"), entry("b"), entry("c")]);
    const vector = Float32Array.of(1, 0);
    await tier.nearest({ index: 1, namespace: "n", below: false, vector, limit: 2 });
    expect(plans).toHaveLength(1);
    expect(plans[0]).toContain("vectors_1_meaning");
    await tier.dropIndex(1);
  });
});

describe("a database that cannot hold vectors", () => {
  /** A server that answers CREATE EXTENSION as one without the files does. */
  function without(database: Database, state: string, text: string): Database {
    return intercept(database, new Set(["query", "write"]), async (_, proceed, values) => {
      const [statement] = values as [Statement];
      if (statement.text.includes("pg_extension")) return [];
      if (!statement.text.startsWith("CREATE EXTENSION")) return proceed();
      const cause = new pg.DatabaseError(text, 1, "error");
      cause.code = state;
      throw new MemoryError("INTERNAL", "the server refused a statement", { cause });
    });
  }

  test("the tier is off, names the remedy, and the start goes on", async () => {
    const database = embeddedDatabase();
    await database.open();
    const text = 'extension "vector" is not available';
    const tier = await openTier(without(database, "58P01", text));
    const { status, reason } = tier.health();
    expect(status).toBe("off");
    expect(reason).toContain("install pgvector");
    const refused = expect.objectContaining({ code: "CAPABILITY_UNAVAILABLE", message: reason });
    await expect(tier.ensureIndex(INDEX)).rejects.toThrow(refused);
    await expect(tier.remove([])).rejects.toThrow(refused);
    await database.close();
  });

  test("an old extension is to be updated", async () => {
    const database = embeddedDatabase();
    await database.open();
    const old = intercept(database, new Set(["query"]), async (_, proceed, values) => {
      const [statement] = values as [Statement];
      return statement.text.includes("pg_extension")
        ? [{ home: "public", version: "0.7.4" }]
        : proceed();
    });
    const tier = await openTier(old);
    expect(tier.health().reason).toMatch(/0\.7\.4.*ALTER EXTENSION vector UPDATE/);
    await database.close();
  });
});

describe("calls at the wrong time", () => {
  test("before initialize and after close they are refused", async () => {
    const database = embeddedDatabase();
    const tier = tierOn(database);
    await expect(tier.listIndexes()).rejects.toThrow(
      expect.objectContaining({ code: "NOT_INITIALIZED" }),
    );
    await tier.close();
    await tier.close();
    await expect(tier.listIndexes()).rejects.toThrow(expect.objectContaining({ code: "CLOSED" }));
    expect(tier.health().status).toBe("closed");
  });
});

describeWithPgvector("on a server", () => {
  test("a role that may not make the extension is told what to do", async () => {
    const url = new URL(await testDatabase());
    const owner = serverDatabase(url.href);
    const role = `vectors_${url.pathname.slice(1, 20)}`;
    await owner.script(
      `CREATE EXTENSION btree_gin; CREATE ROLE "${role}" LOGIN; CREATE SCHEMA ${SCHEMA} AUTHORIZATION "${role}"`,
    );
    url.username = role;
    const limited = serverDatabase(url.href);
    const tier = await openTier(limited);
    expect(tier.health().status).toBe("off");
    expect(tier.health().reason).toContain("let an administrator run CREATE EXTENSION vector");
    await owner.script("CREATE EXTENSION vector");
    await tier.initialize();
    expect(tier.health().status).toBe("ready");
    await tier.ensureIndex(INDEX);
    await limited.close();
    await owner.close();
  });

  test("an extension outside of the search path is found", async () => {
    const database = serverDatabase(await testDatabase());
    await database.script(
      `CREATE EXTENSION btree_gin; CREATE SCHEMA ${SCHEMA}; CREATE SCHEMA "Vector home"; CREATE EXTENSION vector SCHEMA "Vector home"`,
    );
    const tier = await openTier(database);
    await tier.ensureIndex(INDEX);
    await tier.upsert(1, [entry("a")]);
    const request = { index: 1, namespace: "n", below: false, limit: 1 };
    const { hits } = await tier.nearest({ ...request, vector: Float32Array.of(1, 0) });
    expect(hits).toHaveLength(1);
    await database.close();
  });

  test("of writers at once the newest version stays, whoever comes last", () =>
    withSeed(11, async (random) => {
      const database = serverDatabase(await testDatabase());
      const authority = await openAuthority(database);
      const [first, second] = [await openTier(database), await openTier(database)];
      await first.ensureIndex(INDEX);
      const keys = Array.from({ length: 20 }, (_, place) => `k${place}`);
      const versions = shuffle(
        random,
        Array.from({ length: 12 }, (_, place) => place + 1),
      );
      await Promise.all(
        versions.map((itemVersion, place) =>
          (place % 2 === 0 ? first : second).upsert(
            1,
            shuffle(random, keys).map((key) => entry(key, { itemVersion })),
          ),
        ),
      );
      const page = await first.entries({ index: 1, after: undefined, limit: 100 });
      expect(page.entries.map(({ itemVersion }) => itemVersion)).toEqual(keys.map(() => 12));
      await authority.close();
    }));
});

describeWithPgBouncer("through a pooler in transaction mode", () => {
  let database: Database;
  let stop: () => Promise<void>;
  beforeAll(async () => {
    const name = new URL(await testDatabase()).pathname.slice(1);
    const port = Number(new URL(sharedPostgresUrl()).port);
    const bouncer = await startPgBouncer({ postgres: { port }, poolSize: 3 });
    database = serverDatabase(bouncer.url(name));
    const authority = await openAuthority(database);
    stop = async () => {
      await authority.close();
      await bouncer.stop();
    };
  });
  afterAll(() => stop());
  const open = async (): Promise<PgvectorTier> => {
    const tier = tierOn(database, { exactRowsMax: 5 });
    await tier.initialize();
    return tier;
  };
  registerSuite(vectorTierSuite("PgvectorTier", { open }), { describe, test });

  test("a walk's settings end with it", async () => {
    const [row] = await database.query({
      text: "SELECT current_setting('enable_sort') AS sort, current_setting('hnsw.iterative_scan', true) AS scan",
    });
    expect(row?.["sort"]).toBe("on");
    expect(["off", "", null]).toContain(row?.["scan"]);
  });
});
