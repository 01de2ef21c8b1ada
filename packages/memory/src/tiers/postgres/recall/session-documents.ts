import type { IndexedDocument } from "../../keyword.ts";
import type { BoundSchema } from "../bound-schema.ts";
import { numberIn } from "../columns.ts";
import type { Queryable, Statement } from "../database.ts";
import { NOT_CLEARED, NOT_DEAD } from "../record-columns.ts";
import { documentOf } from "./live-hits.ts";

/**
 * By the index on session and position; alive, and as they were indexed. LIMIT keeps each item a look
 * at its key: joined freely, a planner without statistics read all sessions anew for each item.
 */
const SESSION_DOCUMENTS: Statement = {
  name: "word_sessions",
  text: `SELECT d.id, n.namespace, d.key, d.version, d.length, d.session, d.position, d.at_ms, d.speaker
    FROM unnest($2::text[]) WITH ORDINALITY AS wanted (session, place)
    JOIN {{schema}}.word_namespaces n ON n.namespace = $1
    CROSS JOIN LATERAL (
      SELECT * FROM {{schema}}.word_documents d
      WHERE d.namespace_id = n.id AND d.session = wanted.session ORDER BY d.position LIMIT $3
    ) AS d
    CROSS JOIN LATERAL (
      SELECT FROM {{schema}}.items i WHERE i.namespace = n.namespace AND i.key = d.key
        AND i.version = d.version AND ${NOT_DEAD} AND ${NOT_CLEARED} LIMIT 1
    ) AS alive
    ORDER BY wanted.place, d.position LIMIT $4`,
};

/** Indexed documents of these sessions, one session after the other as they are given. */
export async function readSessions(
  database: Queryable,
  schema: BoundSchema,
  request: {
    readonly namespace: string;
    readonly sessions: readonly string[];
    readonly eachMax: number;
    readonly allMax: number;
  },
): Promise<readonly IndexedDocument[]> {
  const { namespace, sessions, eachMax, allMax } = request;
  const values = [namespace, sessions, eachMax, allMax];
  const rows = await database.query(schema.bind(SESSION_DOCUMENTS), values);
  return rows.map((row) => ({ ...documentOf(row), document: numberIn(row, "id") }));
}
