import { afterAll, beforeAll, expect, test } from "vitest";
import { startPostgres } from "@cherry-ai/services";
import type { PostgresServer } from "@cherry-ai/services";
import { describeWithPostgres } from "@cherry-ai/services/vitest";
import { DEFAULT_LIMITS } from "../../src/model/limits.ts";
import type { SearchRequest } from "../../src/tiers/authority.ts";
import { BoundSchema } from "../../src/tiers/postgres/bound-schema.ts";
import { criteriaOf } from "../../src/tiers/postgres/search/criteria.ts";
import {
  CANDIDATES_MAX,
  PAGE_BYTES_MAX,
  WALKED_ROWS_MAX,
} from "../../src/tiers/postgres/search/page-finder.ts";
import { candidatesStatement, walkStatement } from "../../src/tiers/postgres/search/page-sql.ts";
import type { PageQuery, PageStatement } from "../../src/tiers/postgres/search/page-sql.ts";
import { SCHEMA } from "../support/databases.ts";
import { searchOf, serverRig } from "./support.ts";
import type { ServerRig } from "./support.ts";

const ROWS = 1_000_000;
const LIMIT = 50;
/** Rows that one page may touch beyond those it examines: each hit is looked up again. */
const LOOKUPS = 2 * (LIMIT + 1);

/** A million items in one namespace; indexes are built after the rows, which is quicker. */
async function fill(rig: ServerRig): Promise<void> {
  const client = await rig.connect();
  const { rows } = await client.query<{ indexdef: string }>(
    `SELECT indexdef FROM pg_indexes WHERE schemaname = $1
     AND indexname IN ('items_metadata', 'items_tags')`,
    [SCHEMA],
  );
  expect(rows.length).toBe(2);
  await client.query(`DROP INDEX ${SCHEMA}.items_metadata, ${SCHEMA}.items_tags`);
  await client.query(
    `INSERT INTO ${SCHEMA}.items
       (namespace, key, version, body, metadata, tags, created_at, updated_at)
     SELECT 'm', 'user:' || lpad(g::text, 7, '0'), g, '', jsonb_build_object('id', g, 'rare', g % 50000,
       'kind', CASE WHEN g % 2 = 0 THEN 'even' ELSE 'odd' END), ARRAY['t' || g % 10000, 'all'],
       now(), now()
     FROM generate_series(1, ${ROWS}) g`,
  );
  for (const { indexdef } of rows) await client.query(indexdef);
  await client.query(`VACUUM ANALYZE ${SCHEMA}.items`);
}

interface PlanNode {
  readonly "Node Type": string;
  readonly "Relation Name"?: string;
  readonly "Index Name"?: string;
  readonly "Actual Rows": number;
  readonly "Actual Loops": number;
  readonly "Rows Removed by Filter"?: number;
  readonly "Rows Removed by Index Recheck"?: number;
  readonly Plans?: readonly PlanNode[];
}

interface Scan {
  readonly type: string;
  readonly index: string | undefined;
  readonly rows: number;
}

function scansOf(node: PlanNode): Scan[] {
  const inner = (node.Plans ?? []).flatMap(scansOf);
  const isIndex = node["Index Name"] !== undefined;
  if (node["Relation Name"] !== "items" && !isIndex) return inner;
  const removed =
    (node["Rows Removed by Filter"] ?? 0) + (node["Rows Removed by Index Recheck"] ?? 0);
  const rows = (node["Actual Rows"] + removed) * node["Actual Loops"];
  return [{ type: node["Node Type"], index: node["Index Name"], rows }, ...inner];
}

/** Runs the very statement that a search sends, with its values, under EXPLAIN ANALYZE. */
async function explain(rig: ServerRig, page: PageStatement | undefined): Promise<Scan[]> {
  if (page === undefined) throw new Error("no statement");
  const text = `EXPLAIN (ANALYZE, FORMAT JSON) ${new BoundSchema(SCHEMA).text(page.statement.text)}`;
  const [row] = await rig.database.query({ text }, page.values);
  const plans = row?.["QUERY PLAN"];
  if (!Array.isArray(plans)) throw new Error("no plan");
  const [plan] = plans as readonly { readonly Plan: PlanNode }[];
  if (plan === undefined) throw new Error("no plan");
  const scans = scansOf(plan.Plan);
  expect(scans.length).toBeGreaterThan(0);
  for (const scan of scans) expect(scan.type).not.toBe("Seq Scan");
  return scans;
}

function queryOf(facts: Partial<SearchRequest>, more: Partial<PageQuery> = {}): PageQuery {
  return {
    criteria: criteriaOf(facts, DEFAULT_LIMITS),
    range: { kind: "one", namespace: "m" },
    after: undefined,
    limit: LIMIT + 1,
    examinedMax: CANDIDATES_MAX,
    bytesMax: PAGE_BYTES_MAX,
    brings: "records",
    ...more,
  };
}

describeWithPostgres("search among a million items", () => {
  // Its own server: a million rows and their indexes would take the I/O of the tests beside it.
  const server: { own?: PostgresServer } = {};
  // Before the rig: what is registered first is done last, when all its connections are closed.
  afterAll(() => server.own?.remove());
  const late = serverRig({}, async () => {
    server.own = await startPostgres({ settings: { fsync: "off" } });
    return server.own.databaseUrl("scale");
  });
  beforeAll(() => fill(late.rig), 300_000);

  test.each([
    ["a prefix", { pattern: "user:00123*" }],
    ["a prefix with more to check", { pattern: "user:00123*[13579]" }],
    ["a whole key", { pattern: "user:0012345" }],
  ])("%s is a range of the primary key", async (_, facts) => {
    const scans = await explain(late.rig, walkStatement(queryOf(facts)));
    expect(scans.map((scan) => scan.index)).toEqual(["items_pkey"]);
    expect(scans[0]?.rows).toBeLessThanOrEqual(3 * LIMIT);
  });

  const ids = Array.from({ length: 1000 }, (_, n) => n * 997 + 1);
  test.each([
    ["$eq", { metadataFilter: { id: 777 } }, 1],
    ["$eq of what is nowhere", { metadataFilter: { id: -1 } }, 0],
    ["$eq of several", { metadataFilter: { rare: { $eq: 5 } } }, 20],
    ["$in", { metadataFilter: { id: { $in: [1, 2, -3, "4", 5] } } }, 3],
    ["$in of a thousand", { metadataFilter: { id: { $in: ids } } }, 1000],
    ["$and", { metadataFilter: { $and: [{ kind: "even" }, { rare: 4 }] } }, 20],
    [
      "$and with a range",
      { metadataFilter: { $and: [{ rare: 4 }, { id: { $gt: 500_000 } }] } },
      20,
    ],
    ["$or of $eq", { metadataFilter: { $or: [{ id: 1 }, { rare: 4 }] } }, 21],
    ["$eq behind a prefix", { pattern: "user:00*", metadataFilter: { rare: 4 } }, 20],
  ])("%s is answered by the index on metadata", async (_, facts, matches) => {
    const scans = await explain(late.rig, candidatesStatement(queryOf(facts)));
    expect(scans.map((scan) => scan.index)).toContain("items_metadata");
    const rows = scans.reduce((sum, scan) => sum + scan.rows, 0);
    expect(rows).toBeLessThanOrEqual(4 * matches + LOOKUPS);
    const page = await late.rig.authority.search(
      searchOf("m", { ...facts, limit: LIMIT, explain: true }),
    );
    expect(page.plan).toMatchObject({ access: "metadata-index", bounded: false });
  });

  test("tags are answered by their index", async () => {
    const scans = await explain(late.rig, candidatesStatement(queryOf({ tags: ["t5", "all"] })));
    expect(scans.map((scan) => scan.index)).toContain("items_tags");
    const page = await late.rig.authority.search(searchOf("m", { tags: ["t5"], explain: true }));
    expect(page.records.length).toBe(100);
    expect(page.plan?.access).toBe("tag-index");
  });

  test("the same holds below a namespace", async () => {
    for (const namespace of ["", "m"]) {
      const range = { kind: "below", namespace } as const;
      const facts = { metadataFilter: { rare: 5 } };
      await explain(late.rig, candidatesStatement(queryOf(facts, { range })));
      const page = await late.rig.authority.search(searchOf(namespace, { below: true, ...facts }));
      expect(page.records.length).toBe(20);
    }
  });

  test("what an index finds too often is walked in key order, from the first page on", async () => {
    const facts = { metadataFilter: { kind: "even" }, limit: LIMIT, explain: true };
    const first = await late.rig.authority.search(searchOf("m", facts));
    expect(first.plan).toMatchObject({ access: "namespace-walk", bounded: false });
    expect(first.records.length).toBe(LIMIT);
    const after = { namespace: "m", key: "user:0900000" };
    const scans = await explain(late.rig, walkStatement(queryOf(facts, { after })));
    expect(scans.map((scan) => scan.index)).toEqual(["items_pkey"]);
    expect(scans[0]?.rows).toBeLessThanOrEqual(3 * LIMIT);
  });

  test("what no index helps with is bounded a page, and goes on to the end", async () => {
    const facts = { metadataFilter: { id: { $gt: ROWS - 3 } }, limit: LIMIT, explain: true };
    const query = queryOf(facts, { examinedMax: WALKED_ROWS_MAX });
    const scans = await explain(late.rig, walkStatement(query));
    expect(scans[0]?.rows).toBe(WALKED_ROWS_MAX);
    const found: string[] = [];
    let pages = 0;
    let cursor: string | undefined;
    do {
      const page = await late.rig.authority.search(searchOf("m", { ...facts, cursor }));
      expect(page.plan?.bounded).toBe(page.nextCursor !== undefined);
      found.push(...page.records.map((record) => record.key));
      pages += 1;
      cursor = page.nextCursor;
    } while (cursor !== undefined);
    expect(found).toEqual(["user:0999998", "user:0999999", "user:1000000"]);
    expect(pages).toBeGreaterThanOrEqual(ROWS / WALKED_ROWS_MAX);
  });

  test("a single item and a batch are read by the primary key", async () => {
    const client = await late.rig.connect();
    const { rows } = await client.query<{ "QUERY PLAN": readonly { readonly Plan: PlanNode }[] }>(
      `EXPLAIN (ANALYZE, FORMAT JSON) SELECT i.* FROM unnest($1::text[], $2::text[])
         AS wanted (namespace, key) JOIN ${SCHEMA}.items i USING (namespace, key)`,
      [ids.map(() => "m"), ids.map((id) => `user:${String(id).padStart(7, "0")}`)],
    );
    const plan = rows[0]?.["QUERY PLAN"][0];
    if (plan === undefined) throw new Error("no plan");
    expect(scansOf(plan.Plan).map((scan) => scan.index)).toEqual(["items_pkey"]);
  });
});
