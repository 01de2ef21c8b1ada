import type { ItemRef } from "../../../model/item.ts";
import type { SqlValue, Statement } from "../database.ts";
import { FACT_COLUMNS } from "../record-columns.ts";
import { indexConditions, keyRangeSql, matchSql } from "./criteria.ts";
import type { Criteria } from "./criteria.ts";
import { rangeSql } from "./namespace-range.ts";
import type { NamespaceRange } from "./namespace-range.ts";
import { SqlParameters } from "./sql-parameters.ts";

export interface PageQuery {
  readonly criteria: Criteria;
  readonly range: NamespaceRange;
  readonly after: ItemRef | undefined;
  readonly limit: number;
  /** Rows looked at, at most. */
  readonly examinedMax: number;
  /** Bodies of one page, at most; the first item always comes. */
  readonly bytesMax: number;
  /** Whether to bring the items or only their addresses and versions. */
  readonly brings: "records" | "refs";
}

/** Statements of a search have no name: each is planned for its own values. */
export interface PageStatement {
  readonly statement: Statement;
  readonly values: readonly SqlValue[];
  readonly residual: readonly string[];
}

/**
 * A page in key order straight from the primary key. It stops after `limit` matches or at the bound on
 * rows, which shows as a row that does not match: there the next page begins.
 */
export function walkStatement(query: PageQuery): PageStatement {
  const parameters = new SqlParameters();
  const { criteria, range } = query;
  const where = [...rangeSql(range, query.after, parameters)];
  const keyRange = keyRangeSql(criteria, parameters);
  const match = matchSql(criteria, parameters);
  const matches = [match.sql];
  // Below a namespace the key is no range of the index: a condition there would not count as looking.
  if (range.kind === "one") where.push(...keyRange);
  else matches.push(...keyRange);
  // The outer queries do not know that the namespace is constant, and would sort all that is walked.
  const order = (row: string): string =>
    range.kind === "one" ? `${row}.key` : `${row}.namespace, ${row}.key`;
  const examinedMax = parameters.add(query.examinedMax, "int8");
  const limit = parameters.add(query.limit, "int8");
  const text = `WITH page AS MATERIALIZED (
      SELECT * FROM (
        SELECT i.*, row_number() OVER (ORDER BY ${order("i")}) AS place,
          (${matches.join(" AND ")}) AS matches
        FROM (SELECT i.* FROM {{schema}}.items i WHERE ${where.join(" AND ")}
              ORDER BY ${order("i")} LIMIT ${examinedMax}) AS i
      ) AS walked
      WHERE walked.matches OR walked.place = ${examinedMax}
      ORDER BY ${order("walked")} LIMIT ${limit}
    )
    ${cutByBytes(query, parameters, "page.place")}`;
  return { statement: { text }, values: parameters.values, residual: match.names };
}

/**
 * The matches among what an index gives, sorted; undefined when no index helps. The candidates are
 * materialized so that they are planned as if all were wanted: with the limit in sight the planner
 * walks the primary key instead, through the whole namespace when matches are rarer than it thinks.
 * More candidates than the bound make `examined` exceed it; then the page must not be used.
 */
export function candidatesStatement(query: PageQuery): PageStatement | undefined {
  const parameters = new SqlParameters();
  const { criteria, range } = query;
  const index = indexConditions(criteria, parameters);
  if (index.length === 0) return undefined;
  const where = [
    ...rangeSql(range, query.after, parameters),
    ...keyRangeSql(criteria, parameters),
    "i.deleted_at IS NULL",
    ...index,
  ];
  const match = matchSql(criteria, parameters);
  const bound = parameters.add(query.examinedMax + 1, "int8");
  const limit = parameters.add(query.limit, "int8");
  const text = `WITH candidates AS MATERIALIZED (
      SELECT i.namespace, i.key, (${match.sql}) AS matches
      FROM {{schema}}.items i WHERE ${where.join(" AND ")}
    ), bounded AS MATERIALIZED (
      SELECT * FROM candidates LIMIT ${bound}
    ), page AS MATERIALIZED (
      SELECT i.*, true AS matches FROM (
        SELECT b.namespace, b.key FROM bounded b WHERE b.matches
        ORDER BY b.namespace, b.key LIMIT ${limit}
      ) AS hit JOIN {{schema}}.items i ON i.namespace = hit.namespace AND i.key = hit.key
    )
    ${cutByBytes(query, parameters, "0")}`;
  return { statement: { text }, values: parameters.values, residual: match.names };
}

/** From the CTE `page`: one row at least, which tells how many rows there were and, if any, the first. */
function cutByBytes(query: PageQuery, parameters: SqlParameters, place: string): string {
  const bytesMax = parameters.add(query.bytesMax, "int8");
  const columns = query.brings === "records" ? `${FACT_COLUMNS}, i.indexing` : "i.version";
  const examined =
    place === "0" ? "(SELECT count(*) FROM bounded)" : "(SELECT max(place) FROM page)";
  return `SELECT totals.examined, totals.row_count, i.namespace, i.key, i.matches, ${columns}
    FROM (SELECT coalesce(${examined}, 0) AS examined, (SELECT count(*) FROM page) AS row_count) AS totals
    LEFT JOIN (
      SELECT page.*, coalesce(sum(octet_length(page.body)) OVER (
        ORDER BY page.namespace, page.key ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0)
        AS bytes_before
      FROM page
    ) AS i ON i.bytes_before < ${bytesMax}
    ORDER BY i.namespace, i.key`;
}
