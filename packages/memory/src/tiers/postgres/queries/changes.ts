import { MemoryError } from "../../../model/errors.ts";
import type { Change, ChangeOperation } from "../../authority.ts";
import type { BoundSchema } from "../bound-schema.ts";
import { booleanIn, exactMs, numberIn, onlyRow, textIn, textsIn } from "../columns.ts";
import type { Queryable, Row, Statement } from "../database.ts";

export const CHANGE_COLUMNS = `c.id, c.namespace, c.key, c.version, c.op,
  date_part('epoch', c.at) * 1000 AS at_ms`;

const HORIZON: Statement = {
  name: "change_horizon",
  text: `SELECT last_id, writers FROM {{schema}}.change_horizon()`,
};

const LOG_STATE: Statement = {
  name: "log_state",
  text: `SELECT
    cardinality($1::text[]) = 0 OR NOT EXISTS (
      SELECT FROM {{schema}}.writers() AS writer WHERE writer = ANY ($1::text[])) AS is_settled,
    (SELECT coalesce(max(c.id), 0) FROM {{schema}}.changes c) AS newest_id,
    (SELECT value::bigint FROM {{schema}}.meta WHERE name = 'settled_id') AS settled_id,
    (SELECT value::bigint FROM {{schema}}.meta WHERE name = 'trimmed_id') AS trimmed_id`,
};

/**
 * Reads at most $5 rows of the log from $1 on, up to $2, and gives those of the namespace $3 (with
 * $4: and below), and clears of what it lies in. What is gone from the log is read by the same
 * statement: a trim that came just before must not pass for a quiet stretch.
 */
const READ_CHANGES: Statement = {
  name: "read_changes",
  text: `WITH stretch AS MATERIALIZED (
      SELECT * FROM {{schema}}.changes c WHERE c.id > $1 AND c.id <= $2 ORDER BY c.id LIMIT $5
    ), found AS MATERIALIZED (
      SELECT * FROM stretch c
      WHERE c.namespace = $3
        OR ($4 AND ($3 = '' OR starts_with(c.namespace, $3 || '/')))
        OR (c.op = 'clear-below' AND (c.namespace = '' OR starts_with($3, c.namespace || '/')))
      ORDER BY c.id LIMIT $6
    )
    SELECT totals.*, ${CHANGE_COLUMNS}
    FROM (SELECT count(*) AS stretch_rows, coalesce(max(id), 0) AS stretch_end,
        (SELECT value::bigint FROM {{schema}}.meta WHERE name = 'trimmed_id') AS trimmed_id
      FROM stretch) AS totals
    LEFT JOIN found c ON true ORDER BY c.id`,
};

const KNOWN_OPERATIONS: ReadonlySet<string> = new Set([
  "put",
  "remove",
  "touch",
  "expire",
  "clear",
  "clear-below",
]);

/** Where the log stood, and who was writing just after. */
export interface Horizon {
  readonly lastId: number;
  readonly writers: readonly string[];
}

export async function changeHorizon(database: Queryable, schema: BoundSchema): Promise<Horizon> {
  const row = onlyRow(await database.query(schema.bind(HORIZON)));
  return { lastId: numberIn(row, "last_id"), writers: textsIn(row, "writers") };
}

export interface LogState {
  /** Whether all the given writers have ended. What they wrote is visible to a later statement. */
  readonly isSettled: boolean;
  /** The greatest id of a committed change that is in the log; 0 when it is empty. */
  readonly newestId: number;
  readonly settledId: number;
  readonly trimmedId: number;
}

export async function logState(
  database: Queryable,
  schema: BoundSchema,
  writers: readonly string[],
): Promise<LogState> {
  const row = onlyRow(await database.query(schema.bind(LOG_STATE), [writers]));
  return {
    isSettled: booleanIn(row, "is_settled"),
    newestId: numberIn(row, "newest_id"),
    settledId: numberIn(row, "settled_id"),
    trimmedId: numberIn(row, "trimmed_id"),
  };
}

export interface StretchRequest {
  readonly after: number;
  readonly upTo: number;
  readonly namespace: string;
  readonly below: boolean;
  readonly rowsMax: number;
  readonly limit: number;
}

export interface Stretch {
  readonly changes: readonly Change[];
  /** Rows of the log that were looked at, and the last one's id. */
  readonly rows: number;
  readonly endId: number;
  /** The greatest id that was gone from the log by then. */
  readonly trimmedId: number;
}

export async function readStretch(
  database: Queryable,
  schema: BoundSchema,
  request: StretchRequest,
): Promise<Stretch> {
  const { after, upTo, namespace, below, rowsMax, limit } = request;
  const values = [after, upTo, namespace, below, rowsMax, limit];
  const rows = await database.query(schema.bind(READ_CHANGES), values);
  const totals = onlyRow(rows);
  return {
    changes: rows.filter((row) => row["id"] !== null).map(changeOf),
    rows: numberIn(totals, "stretch_rows"),
    endId: numberIn(totals, "stretch_end"),
    trimmedId: numberIn(totals, "trimmed_id"),
  };
}

/** Whether this release knows what happened; another may write what it does not. */
export function isKnownChange(row: Row): boolean {
  return KNOWN_OPERATIONS.has(textIn(row, "op"));
}

export function changeOf(row: Row): Change {
  const op = textIn(row, "op");
  return {
    id: numberIn(row, "id"),
    namespace: textIn(row, "namespace"),
    key: textIn(row, "key"),
    version: numberIn(row, "version"),
    op: operationOf(op),
    ...(op === "clear-below" ? { below: true } : {}),
    atMs: exactMs(numberIn(row, "at_ms")),
  };
}

function operationOf(op: string): ChangeOperation {
  switch (op) {
    case "put":
    case "remove":
    case "touch":
    case "expire":
    case "clear":
      return op;
    case "clear-below":
      return "clear";
    default:
      throw new MemoryError("INTERNAL", `the change log holds the unknown ${JSON.stringify(op)}`);
  }
}
