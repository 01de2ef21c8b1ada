import type { ItemRef } from "../../../model/item.ts";
import type { BoundSchema } from "../bound-schema.ts";
import type { Queryable } from "../database.ts";
import { refOf } from "../record-columns.ts";
import { matchSql } from "../search/criteria.ts";
import type { Criteria } from "../search/criteria.ts";
import { SqlParameters } from "../search/sql-parameters.ts";

/**
 * Locks those of the items that still match, each judged as it is once its lock is held: one that was
 * written meanwhile and no longer matches is left alone. In key order.
 */
export async function lockMatching(
  tx: Queryable,
  schema: BoundSchema,
  request: { readonly refs: readonly ItemRef[]; readonly criteria: Criteria },
): Promise<readonly ItemRef[]> {
  const parameters = new SqlParameters();
  const namespaces = parameters.add(
    request.refs.map((ref) => ref.namespace),
    "text[]",
  );
  const keys = parameters.add(
    request.refs.map((ref) => ref.key),
    "text[]",
  );
  const text = `SELECT i.namespace, i.key FROM unnest(${namespaces}, ${keys}) AS wanted (namespace, key)
    JOIN {{schema}}.items i ON i.namespace = wanted.namespace AND i.key = wanted.key
    WHERE ${matchSql(request.criteria, parameters).sql}
    ORDER BY i.namespace, i.key FOR UPDATE OF i`;
  const rows = await tx.query({ text: schema.text(text) }, parameters.values);
  return rows.map(refOf);
}
