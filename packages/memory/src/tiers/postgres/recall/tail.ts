import type { ItemRef } from "../../../model/item.ts";
import type { KeywordScope } from "../../keyword.ts";
import type { BoundSchema } from "../bound-schema.ts";
import { booleanIn, numberIn, onlyRow, optionalNumberIn, textIn } from "../columns.ts";
import type { Queryable, Statement } from "../database.ts";

/** Rows of the log above the index that a search looks at, the newest. */
const LOG_ROWS_MAX = 20_000;
/** Changed items that a search reads and scores itself. */
const TAIL_ITEMS_MAX = 2_000;

/** What happened in a scope since the index's position. */
export interface Tail {
  /** Items that changed: what is indexed of them does not count. */
  readonly refs: readonly ItemRef[];
  readonly clears: readonly { readonly namespace: string; readonly below: boolean }[];
  /** Changes that were left out, of this or another scope: 0 when all were seen. */
  readonly unseen: number;
}

/** Newest first: what was acknowledged last is seen, however far the index is behind. */
const READ_TAIL: Statement = {
  name: "word_tail",
  text: `WITH stretch AS MATERIALIZED (
      SELECT * FROM {{schema}}.changes c WHERE c.id > $3 ORDER BY c.id DESC LIMIT ${LOG_ROWS_MAX}
    ), found AS MATERIALIZED (
      SELECT c.namespace, c.key, c.op IN ('clear', 'clear-below') AS is_clear,
        bool_or(c.op = 'clear-below') AS below, max(c.id) AS id, count(*) AS changes
      FROM stretch c
      WHERE c.namespace = $1 OR ($2 AND ($1 = '' OR starts_with(c.namespace, $1 || '/')))
        OR (c.op = 'clear-below' AND (c.namespace = '' OR starts_with($1, c.namespace || '/')))
      GROUP BY 1, 2, 3
    )
    SELECT totals.*, f.namespace, f.key, f.is_clear, f.below, f.changes
    FROM (SELECT (SELECT count(*) FROM stretch) AS stretch_rows,
        (SELECT min(id) FROM stretch) AS stretch_start,
        (SELECT coalesce(sum(changes), 0) FROM found) AS found_changes) AS totals
    LEFT JOIN (SELECT * FROM found ORDER BY is_clear DESC, id DESC LIMIT ${TAIL_ITEMS_MAX}) AS f ON true`,
};

export async function readTail(
  tx: Queryable,
  schema: BoundSchema,
  { namespace, below, after }: KeywordScope & { readonly after: number },
): Promise<Tail> {
  const rows = await tx.query(schema.bind(READ_TAIL), [namespace, below, after]);
  const found = rows.filter((row) => row["namespace"] !== null);
  const refs: ItemRef[] = [];
  const clears: { namespace: string; below: boolean }[] = [];
  let seen = 0;
  for (const row of found) {
    const where = textIn(row, "namespace");
    seen += numberIn(row, "changes");
    if (booleanIn(row, "is_clear"))
      clears.push({ namespace: where, below: booleanIn(row, "below") });
    else refs.push({ namespace: where, key: textIn(row, "key") });
  }
  const totals = onlyRow(rows);
  const isCut = numberIn(totals, "stretch_rows") === LOG_ROWS_MAX;
  const before = isCut
    ? Math.max(0, (optionalNumberIn(totals, "stretch_start") ?? 0) - after - 1)
    : 0;
  return { refs, clears, unseen: before + Number(totals["found_changes"]) - seen };
}

/** Whether a clear of the tail emptied this namespace: nothing that is indexed of it counts. */
export function isCleared({ clears }: Tail, namespace: string): boolean {
  return clears.some(
    (clear) =>
      clear.namespace === namespace ||
      (clear.below && (clear.namespace === "" || namespace.startsWith(`${clear.namespace}/`))),
  );
}
