import type { KeywordScope, Neighbours } from "../../keyword.ts";
import type { BoundSchema } from "../bound-schema.ts";
import { numberIn } from "../columns.ts";
import type { Queryable, Statement } from "../database.ts";
import { NOT_CLEARED, NOT_DEAD } from "../record-columns.ts";
import { documentOf } from "./live-hits.ts";
import { IN_SCOPE } from "./scope.ts";

/** By the index on session and position, from each document both ways; alive, and as they were indexed. */
const NEIGHBOURS: Statement = {
  text: `SELECT o.id AS document, near.id, n.namespace, near.key, near.version, near.length,
      near.session, near.position, near.at_ms, near.speaker
    FROM unnest($3::int8[]) AS wanted (id)
    JOIN {{schema}}.word_documents o ON o.id = wanted.id
    JOIN {{schema}}.word_namespaces n ON n.id = o.namespace_id AND ${IN_SCOPE}
    CROSS JOIN LATERAL (
      (SELECT * FROM {{schema}}.word_documents d
       WHERE d.namespace_id = o.namespace_id AND d.session = o.session AND d.position < o.position
       ORDER BY d.position DESC LIMIT $4)
      UNION ALL
      (SELECT * FROM {{schema}}.word_documents d
       WHERE d.namespace_id = o.namespace_id AND d.session = o.session AND d.position > o.position
       ORDER BY d.position LIMIT $5)
    ) AS near
    JOIN {{schema}}.items i ON i.namespace = n.namespace AND i.key = near.key
      AND i.version = near.version AND ${NOT_DEAD} AND ${NOT_CLEARED}
    ORDER BY o.id, near.position`,
};

/** Indexed documents of the same session; none for what has no session or position. */
export async function readNeighbours(
  database: Queryable,
  schema: BoundSchema,
  request: KeywordScope & {
    readonly documents: readonly number[];
    readonly before: number;
    readonly after: number;
  },
): Promise<readonly Neighbours[]> {
  const { namespace, below, documents, before, after } = request;
  const rows = await database.query(schema.bind(NEIGHBOURS), [
    namespace,
    below,
    documents,
    before,
    after,
  ]);
  const found = new Map(
    documents.map((document) => [document, [] as Neighbours["hits"][number][]]),
  );
  for (const row of rows)
    found.get(numberIn(row, "document"))?.push({
      ...documentOf(row),
      document: numberIn(row, "id"),
    });
  return [...found].map(([document, hits]) => ({ document, hits }));
}
