import type { Change } from "../../authority.ts";
import type { BoundSchema } from "../bound-schema.ts";
import { booleanIn, onlyRow, textIn } from "../columns.ts";
import type { Queryable, Statement } from "../database.ts";
import { CHANGE_COLUMNS, changeOf, isKnownChange } from "./changes.ts";

/**
 * What this statement shows of the log, as a snapshot: that of the database, which ends however after
 * the last change that shows. Both show the same changes. But a crash of PostgreSQL forgets the ids of
 * transactions of which nothing was flushed (those rolled back, those without a change) and gives them
 * again: who holds a snapshot that ends above them never learns of the change that has one of them
 * now. Of a change that shows the commit was flushed, so that no id up to its own is given again. (OFFSET 0: found once, not each time it is named.)
 */
const SHOWN = `(
    SELECT least(pg_snapshot_xmin(pg_current_snapshot())::text::int8, place) || ':' || place || ':' ||
      coalesce((SELECT string_agg(open::text, ',' ORDER BY open)
        FROM pg_snapshot_xip(pg_current_snapshot()) AS open WHERE open::text::int8 < place), '')
    FROM (SELECT least(pg_snapshot_xmax(pg_current_snapshot())::text::int8, 1 + greatest(
        (SELECT c.xid::text::int8 FROM {{schema}}.changes c
         WHERE c.xid < pg_snapshot_xmax(pg_current_snapshot()) ORDER BY c.xid DESC LIMIT 1),
        (SELECT m.value::int8 FROM {{schema}}.meta m WHERE m.name = 'trimmed_xid'))) AS place
      OFFSET 0) AS ended
  )`;

/**
 * What became visible since the snapshot $1, which is one of SHOWN. Not visible in it were the
 * transactions that it names as running and all from its xmax on; the log has an index on them, so a
 * transaction that stays open for hours costs nothing. Something may be missing when the log was
 * trimmed as far as such a one, unless that is still running: of what is not committed nothing can
 * have been trimmed.
 */
const FOLLOW: Statement = {
  name: "follow_changes",
  text: `WITH started_since AS (
      SELECT c.* FROM {{schema}}.changes c
      WHERE c.xid >= pg_snapshot_xmax($1::text::pg_snapshot) ORDER BY c.xid LIMIT $2
    ), running_then AS (
      SELECT c.* FROM {{schema}}.changes c
      WHERE c.xid = ANY (ARRAY(SELECT pg_snapshot_xip($1::text::pg_snapshot))) LIMIT $2
    ), seen AS MATERIALIZED (
      SELECT * FROM started_since UNION ALL SELECT * FROM running_then
    )
    SELECT state.*, ${CHANGE_COLUMNS}
    FROM (
      SELECT ${SHOWN} AS snapshot,
        (SELECT value FROM {{schema}}.meta WHERE name = 'epoch') AS epoch,
        (SELECT m.value::xid8 >= pg_snapshot_xmax($1::text::pg_snapshot) OR EXISTS (
           SELECT FROM pg_snapshot_xip($1::text::pg_snapshot) AS running
           WHERE running <= m.value::xid8 AND pg_visible_in_snapshot(running, pg_current_snapshot()))
         FROM {{schema}}.meta m WHERE m.name = 'trimmed_xid') AS is_trimmed
    ) AS state
    LEFT JOIN seen c ON true ORDER BY c.id`,
};

const START: Statement = {
  name: "follow_start",
  text: `SELECT ${SHOWN} AS snapshot,
    (SELECT value FROM {{schema}}.meta WHERE name = 'epoch') AS epoch`,
};

export interface Followed {
  readonly snapshot: string;
  readonly epoch: string;
  readonly changes: readonly Change[];
  /**
   * Changes that the last snapshot did not show may be gone from the log, or are of a kind that this
   * release does not know.
   */
  readonly isTrimmed: boolean;
}

/** Everything from now on. */
export async function startFollowing(database: Queryable, schema: BoundSchema): Promise<Followed> {
  const row = onlyRow(await database.query(schema.bind(START)));
  const snapshot = textIn(row, "snapshot");
  return { snapshot, epoch: textIn(row, "epoch"), changes: [], isTrimmed: false };
}

/** Gives more than `rowsMax` changes, though not all, when there are more. */
export async function followChanges(
  database: Queryable,
  schema: BoundSchema,
  request: { readonly snapshot: string; readonly rowsMax: number },
): Promise<Followed> {
  const rows = await database.query(schema.bind(FOLLOW), [request.snapshot, request.rowsMax + 1]);
  const row = onlyRow(rows);
  const seen = rows.filter((change) => change["id"] !== null);
  const known = seen.filter(isKnownChange);
  return {
    snapshot: textIn(row, "snapshot"),
    epoch: textIn(row, "epoch"),
    changes: known.map(changeOf),
    isTrimmed: booleanIn(row, "is_trimmed") || known.length < seen.length,
  };
}
