import { numberIn, optionalTextIn, textIn } from "../postgres/columns.ts";
import type { Call, Database, Row } from "../postgres/database.ts";
import { unitVector } from "../unit-vector.ts";
import type { NearestRequest, NearestResult, VectorHit } from "../vector.ts";
import type { LargeScopes } from "./large-scopes.ts";
import { Binding, inScope, meetsFilter } from "./scope.ts";
import type { SearchOptions } from "./search-options.ts";
import type { VectorTable } from "./vector-table.ts";
import { vectorText } from "./vector-table.ts";

/** `hnsw.ef_search` takes no more. */
const CANDIDATES_MAX = 1000;

/** What one search works with. */
export interface Searching {
  readonly database: Database;
  readonly table: VectorTable;
  readonly large: LargeScopes;
  readonly options: SearchOptions;
}

/**
 * The nearest entries. HNSW knows no namespaces: it walks towards the vector through all of them and
 * filters what it meets, so a small part of the index would be searched in vain. Hence: few matching
 * entries are compared one by one, in the statement that counts them up to the bound; among many the
 * graph is walked on until the page is full (`hnsw.iterative_scan`); and where the walk ends at its
 * bound before, all that match are compared after all. So a page is filled wherever enough match.
 */
export async function nearestEntries(
  searching: Searching,
  request: NearestRequest,
): Promise<NearestResult> {
  const { database, table, large, options } = searching;
  const vector = vectorText(unitVector(request.vector, table.index));
  const compareAll = async (rowsMax: number): Promise<NearestResult | undefined> => {
    const { statement, values } = exactCall(table, { request, vector, rowsMax });
    return exactResult(await database.query(statement, values), rowsMax);
  };
  if (request.exact !== true) {
    const isUnfiltered = request.filter === undefined;
    if (!isUnfiltered || !large.has(request)) {
      const few = await compareAll(options.exactRowsMax);
      if (few !== undefined) return few;
      if (isUnfiltered) large.add(request);
    }
    const hits = await walk(searching, { request, vector });
    if (hits.length === request.limit) return { hits, exact: false };
  }
  return (await compareAll(Number.POSITIVE_INFINITY)) ?? { hits: [], exact: true };
}

interface Asked {
  readonly request: NearestRequest;
  readonly vector: string;
}

/** Its rows `v`: alive, in the namespace, meeting the filter. */
function matching(binding: Binding, { namespace, below, filter }: NearestRequest): string {
  const conditions = [
    inScope(binding, { namespace, below }),
    meetsFilter(binding, filter),
    "(v.expires_at IS NULL OR v.expires_at > now())",
  ];
  return conditions.filter((condition) => condition !== undefined).join(" AND ");
}

/**
 * Counts up to one more than `rowsMax`, and compares if there are no more: one round trip where it
 * was not known. The `+ 0` keeps the graph out of it: no index is of that expression.
 */
function exactCall(
  table: VectorTable,
  { request, vector, rowsMax }: Asked & { readonly rowsMax: number },
): Call {
  const binding = new Binding();
  const query = `${binding.add(vector)}::${table.type}`;
  const condition = matching(binding, request);
  const best = (also: string): string => `SELECT v.namespace, v.key, v.item_version,
      (v.embedding ${table.distance} ${query}) + 0 AS distance
    FROM ${table.name} v WHERE ${condition}${also}
    ORDER BY distance LIMIT ${binding.add(request.limit)}`;
  if (rowsMax === Number.POSITIVE_INFINITY)
    return { statement: { text: best("") }, values: binding.values };
  const bound = binding.add(rowsMax);
  const text = `WITH matching AS MATERIALIZED (
      SELECT count(*) AS rows FROM (
        SELECT 1 FROM ${table.name} v WHERE ${condition} LIMIT ${bound}::int + 1) AS bounded
    )
    SELECT m.rows, hit.* FROM matching m LEFT JOIN LATERAL (
      ${best(` AND m.rows <= ${bound}::int`)}
    ) AS hit ON true`;
  return { statement: { text }, values: binding.values };
}

/** undefined: there were more than could be compared. */
function exactResult(rows: readonly Row[], rowsMax: number): NearestResult | undefined {
  const [first] = rows;
  if (first?.["rows"] !== undefined && numberIn(first, "rows") > rowsMax) return undefined;
  // The one row of a count of nothing has no hit beside it.
  const found = rows.filter((row) => optionalTextIn(row, "namespace") !== undefined);
  return { hits: found.map(hitOf), exact: true };
}

/**
 * The settings are the transaction's, since a pooler may give each transaction another session.
 * Without sorting the planner has no other way than the graph. It hands over slightly out of order
 * (`relaxed_order` finds more than `strict_order`, which drops what comes too late).
 */
async function walk(
  { database, table, options }: Searching,
  { request, vector }: Asked,
): Promise<readonly VectorHit[]> {
  const binding = new Binding();
  const query = `${binding.add(vector)}::${table.type}`;
  const condition = matching(binding, request);
  const text = `SELECT v.namespace, v.key, v.item_version,
      v.embedding ${table.distance} ${query} AS distance
    FROM ${table.name} v WHERE ${condition}
    ORDER BY v.embedding ${table.distance} ${query} LIMIT ${binding.add(request.limit)}`;
  const candidates = Math.min(CANDIDATES_MAX, Math.max(options.candidates, request.limit));
  const rows = await database.transaction(
    async (tx) => {
      await tx.query(
        {
          text: `SELECT set_config('hnsw.iterative_scan', 'relaxed_order', true),
            set_config('hnsw.ef_search', $1, true),
            set_config('hnsw.max_scan_tuples', $2, true), set_config('enable_sort', 'off', true)`,
        },
        [String(candidates), String(options.walkRowsMax)],
      );
      return tx.query({ text }, binding.values);
    },
    { readOnly: true },
  );
  return rows.map(hitOf).toSorted((a, b) => b.similarity - a.similarity);
}

function hitOf(row: Row): VectorHit {
  return {
    namespace: textIn(row, "namespace"),
    key: textIn(row, "key"),
    itemVersion: numberIn(row, "item_version"),
    // Rounding takes it past the ends.
    similarity: Math.min(1, Math.max(-1, -numberIn(row, "distance"))),
  };
}
