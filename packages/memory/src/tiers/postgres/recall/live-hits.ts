import type { ItemRecord, ItemRef } from "../../../model/item.ts";
import type { IndexedDocument, KeywordScope } from "../../keyword.ts";
import type { BoundSchema } from "../bound-schema.ts";
import { numberIn, optionalNumberIn, optionalTextIn } from "../columns.ts";
import type { Queryable, Row } from "../database.ts";
import { FACT_COLUMNS, recordOf, refOf } from "../record-columns.ts";
import { keyRangeSql, matchSql } from "../search/criteria.ts";
import type { Criteria } from "../search/criteria.ts";
import { SqlParameters } from "../search/sql-parameters.ts";

/** Bodies of one answer, together; the first always comes. */
const BODIES_BYTES_MAX = 32 * 1024 * 1024;

/** A candidate: a document by its number, or an item that is not indexed yet. */
export type Candidate = number | (ItemRef & { readonly version: number });

export interface LiveHit {
  /** Its place among the candidates. */
  readonly place: number;
  readonly document: Omit<IndexedDocument, "document"> & { readonly document: number | undefined };
  readonly record: ItemRecord | undefined;
}

export interface LiveHits {
  readonly hits: readonly LiveHit[];
  /** Candidates that were judged: up to the last hit, where there were more than were wanted. */
  readonly judged: number;
}

/**
 * Which of the candidates are alive as they were scored, in this scope, and fulfil the criteria; in one
 * statement. Anything else is no hit: it was deleted, cleared, expired or written again.
 */
export async function liveHits(
  tx: Queryable,
  schema: BoundSchema,
  request: {
    readonly scope: KeywordScope;
    readonly candidates: readonly Candidate[];
    readonly criteria: Criteria;
    readonly limit: number;
    readonly brings: "records" | "refs";
    /** Also what was written again since it was indexed: the caller looks at the item itself. */
    readonly anyVersion?: boolean;
    readonly sentAtMs: number;
  },
): Promise<LiveHits> {
  const { candidates, brings, sentAtMs } = request;
  if (candidates.length === 0) return { hits: [], judged: 0 };
  const { text, values } = statementOf(request);
  const rows = await tx.query({ text: schema.text(text) }, values);
  const hits = rows.map((row): LiveHit => {
    const ref = refOf(row);
    return {
      place: numberIn(row, "place") - 1,
      document: { ...documentOf(row), document: optionalNumberIn(row, "document") },
      record: brings === "records" ? recordOf(row, ref, sentAtMs) : undefined,
    };
  });
  const last = rows.at(-1);
  const isCut = last !== undefined && numberIn(last, "matches") > rows.length;
  return { hits, judged: isCut ? numberIn(last, "place") : candidates.length };
}

function statementOf(request: Parameters<typeof liveHits>[2]): {
  readonly text: string;
  readonly values: SqlParameters["values"];
} {
  const { scope, candidates, criteria, limit, brings, anyVersion } = request;
  const parameters = new SqlParameters();
  const namespace = parameters.add(scope.namespace, "text");
  const documents = parameters.add(
    candidates.map((one) => (typeof one === "number" ? one : null)),
    "int8[]",
  );
  const unindexed = candidates.map((one) => (typeof one === "number" ? undefined : one));
  const namespaces = parameters.add(
    unindexed.map((one) => one?.namespace ?? null),
    "text[]",
  );
  const keys = parameters.add(
    unindexed.map((one) => one?.key ?? null),
    "text[]",
  );
  const versions = parameters.add(
    unindexed.map((one) => one?.version ?? null),
    "int8[]",
  );
  const below = scope.below
    ? ` OR ${namespace} = '' OR starts_with(i.namespace, ${namespace} || '/')`
    : "";
  const conditions = [
    `(i.namespace = ${namespace}${below})`,
    matchSql(criteria, parameters).sql,
    ...keyRangeSql(criteria, parameters),
  ];
  const version = anyVersion === true ? "" : "AND i.version = coalesce(d.version, wanted.version)";
  const isWhole = brings === "records";
  const bytesBefore = isWhole
    ? `coalesce(sum(octet_length(i.body)) OVER (ORDER BY wanted.place
        ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0)`
    : "0";
  const text = `SELECT i.place, i.document, i.namespace, i.key, i.length, i.session, i.position, i.at_ms,
      i.speaker, i.matches, ${isWhole ? `${FACT_COLUMNS}, i.indexing` : "i.version"}
    FROM (
      SELECT i.*, wanted.place, d.id AS document, d.length, d.session, d.position, d.at_ms, d.speaker,
        count(*) OVER () AS matches, ${bytesBefore} AS bytes_before
      FROM unnest(${documents}, ${namespaces}, ${keys}, ${versions}) WITH ORDINALITY
        AS wanted (document, namespace, key, version, place)
      LEFT JOIN {{schema}}.word_documents d ON d.id = wanted.document
      LEFT JOIN {{schema}}.word_namespaces n ON n.id = d.namespace_id
      JOIN {{schema}}.items i ON i.namespace = coalesce(n.namespace, wanted.namespace)
        AND i.key = coalesce(d.key, wanted.key) ${version}
      WHERE ${conditions.join(" AND ")}
    ) AS i WHERE i.bytes_before < ${BODIES_BYTES_MAX} 
    ORDER BY i.place LIMIT ${parameters.add(limit, "int8")}`;
  return { text, values: parameters.values };
}

export function documentOf(row: Row): Omit<IndexedDocument, "document"> {
  const session = optionalTextIn(row, "session");
  const position = optionalNumberIn(row, "position");
  const atMs = optionalNumberIn(row, "at_ms");
  const speaker = optionalTextIn(row, "speaker");
  return {
    ...refOf(row),
    version: numberIn(row, "version"),
    length: optionalNumberIn(row, "length") ?? 0,
    ...(session === undefined ? {} : { session }),
    ...(position === undefined ? {} : { position }),
    ...(atMs === undefined ? {} : { atMs }),
    ...(speaker === undefined ? {} : { speaker }),
  };
}
