import type { ItemRef } from "../../../model/item.ts";
import type { BoundSchema } from "../bound-schema.ts";
import { booleanIn, numberIn, textIn } from "../columns.ts";
import type { Queryable, Statement } from "../database.ts";

/** What the log says of one stretch of it. */
export interface LogStretch {
  /** Each item once: what became of it is read from its row. */
  readonly refs: readonly ItemRef[];
  readonly clears: readonly { readonly namespace: string; readonly below: boolean }[];
  readonly rows: number;
  readonly endId: number;
}

/** An operation of another release counts as a change of its item too. */
const READ_LOG: Statement = {
  name: "word_log",
  text: `SELECT c.id, c.namespace, c.key, c.op = 'clear-below' AS below,
      c.op IN ('clear', 'clear-below') AS is_clear
    FROM {{schema}}.changes c WHERE c.id > $1 AND c.id <= $2 ORDER BY c.id LIMIT $3`,
};

/** A cleared namespace has another number from now on, or none; what had the old one goes later. */
const CLEAR: Statement = {
  name: "word_clear",
  text: `WITH gone AS (
      DELETE FROM {{schema}}.word_namespaces n
      WHERE n.namespace = $1 OR ($2 AND ($1 = '' OR n.namespace > $1 || '/' AND n.namespace < $1 || '0'))
      RETURNING n.id
    ) INSERT INTO {{schema}}.word_leavings SELECT id FROM gone`,
};

/** Rows of cleared namespaces, a bounded number from each table; a number goes when nothing has it. */
const SWEEP: Statement = {
  name: "word_sweep",
  text: `WITH left_over AS MATERIALIZED (
      SELECT namespace_id FROM {{schema}}.word_leavings ORDER BY namespace_id LIMIT $1
    ), postings AS (
      DELETE FROM {{schema}}.word_postings WHERE ctid = ANY (ARRAY(SELECT p.ctid
        FROM left_over CROSS JOIN LATERAL (SELECT ctid FROM {{schema}}.word_postings p
          WHERE p.namespace_id = left_over.namespace_id LIMIT $1) AS p LIMIT $1)) RETURNING 1
    ), terms AS (
      DELETE FROM {{schema}}.word_terms WHERE ctid = ANY (ARRAY(SELECT t.ctid
        FROM left_over CROSS JOIN LATERAL (SELECT ctid FROM {{schema}}.word_terms t
          WHERE t.namespace_id = left_over.namespace_id LIMIT $1) AS t LIMIT $1)) RETURNING 1
    ), documents AS (
      DELETE FROM {{schema}}.word_documents WHERE ctid = ANY (ARRAY(SELECT d.ctid
        FROM left_over CROSS JOIN LATERAL (SELECT ctid FROM {{schema}}.word_documents d
          WHERE d.namespace_id = left_over.namespace_id LIMIT $1) AS d LIMIT $1)) RETURNING 1
    )
    DELETE FROM {{schema}}.word_leavings l USING left_over
    WHERE l.namespace_id = left_over.namespace_id
      AND (SELECT count(*) FROM postings) < $1 AND (SELECT count(*) FROM terms) < $1
      AND (SELECT count(*) FROM documents) < $1`,
};

export async function readLog(
  tx: Queryable,
  schema: BoundSchema,
  range: { readonly after: number; readonly upTo: number; readonly limit: number },
): Promise<LogStretch> {
  const rows = await tx.query(schema.bind(READ_LOG), [range.after, range.upTo, range.limit]);
  const refs = new Map<string, ItemRef>();
  const clears: { namespace: string; below: boolean }[] = [];
  for (const row of rows) {
    const namespace = textIn(row, "namespace");
    const key = textIn(row, "key");
    if (booleanIn(row, "is_clear")) clears.push({ namespace, below: booleanIn(row, "below") });
    else refs.set(`${namespace}\u0000${key}`, { namespace, key });
  }
  const last = rows.at(-1);
  return {
    refs: [...refs.values()],
    clears,
    rows: rows.length,
    endId: last === undefined ? range.after : numberIn(last, "id"),
  };
}

export async function clearNamespaces(
  tx: Queryable,
  schema: BoundSchema,
  clears: LogStretch["clears"],
): Promise<void> {
  for (const { namespace, below } of clears) await tx.query(schema.bind(CLEAR), [namespace, below]);
}

export async function sweepLeavings(
  tx: Queryable,
  schema: BoundSchema,
  rowsMax: number,
): Promise<void> {
  await tx.query(schema.bind(SWEEP), [rowsMax]);
}
