import type { BoundSchema } from "../bound-schema.ts";
import { numberIn, onlyRow } from "../columns.ts";
import type { Database, SqlValue, Statement } from "../database.ts";

/** Each a bounded chunk in a transaction of its own. */

const EXPIRE: Statement = {
  name: "expire_items",
  text: `SELECT {{schema}}.expire_items($1::int) AS done`,
};

const SWEEP_CLEAR: Statement = {
  name: "sweep_clear",
  text: `SELECT examined AS done FROM {{schema}}.sweep_clear($1::int)`,
};

const PURGE: Statement = {
  name: "purge_tombstones",
  text: `SELECT {{schema}}.purge_tombstones($1::int, $2::float8) AS done`,
};

const TRIM_CHANGES: Statement = {
  name: "trim_changes",
  text: `SELECT {{schema}}.trim_changes($1::int, $2::float8, $3::int8, $4::int8) AS done`,
};

const TRIM_IDEMPOTENCY: Statement = {
  name: "trim_idempotency",
  text: `WITH old AS (
      SELECT namespace, id FROM {{schema}}.idempotency
      WHERE at < now() - make_interval(secs => $2::float8) ORDER BY at LIMIT $1
      FOR UPDATE SKIP LOCKED
    ), gone AS (
      DELETE FROM {{schema}}.idempotency i USING old
      WHERE i.namespace = old.namespace AND i.id = old.id RETURNING 1
    )
    SELECT count(*) AS done FROM gone`,
};

const TRIM_LEASES: Statement = {
  name: "trim_leases",
  text: `WITH old AS (
      SELECT namespace, key FROM {{schema}}.leases
      WHERE expires_at <= clock_timestamp() AND expires_at <= now() LIMIT $1
      FOR UPDATE SKIP LOCKED
    ), gone AS (
      DELETE FROM {{schema}}.leases l USING old
      WHERE l.namespace = old.namespace AND l.key = old.key RETURNING 1
    )
    SELECT count(*) AS done FROM gone`,
};

export function expireItems(
  database: Database,
  schema: BoundSchema,
  limit: number,
): Promise<number> {
  return run(database, schema.bind(EXPIRE), [limit]);
}

/** Resolves to the rows looked at; 0 = there is no clear left. */
export function sweepClear(
  database: Database,
  schema: BoundSchema,
  limit: number,
): Promise<number> {
  return run(database, schema.bind(SWEEP_CLEAR), [limit]);
}

export function purgeTombstones(
  database: Database,
  schema: BoundSchema,
  bounds: { readonly limit: number; readonly ageSeconds: number },
): Promise<number> {
  return run(database, schema.bind(PURGE), [bounds.limit, bounds.ageSeconds]);
}

export function trimChanges(
  database: Database,
  schema: BoundSchema,
  bounds: {
    readonly limit: number;
    readonly ageSeconds: number;
    readonly rowsMax: number;
    readonly settledId: number;
  },
): Promise<number> {
  const { limit, ageSeconds, rowsMax, settledId } = bounds;
  return run(database, schema.bind(TRIM_CHANGES), [limit, ageSeconds, rowsMax, settledId]);
}

export function trimIdempotency(
  database: Database,
  schema: BoundSchema,
  bounds: { readonly limit: number; readonly ageSeconds: number },
): Promise<number> {
  return run(database, schema.bind(TRIM_IDEMPOTENCY), [bounds.limit, bounds.ageSeconds]);
}

/** Leases that ended without a word and that nobody has taken again. */
export function trimLeases(
  database: Database,
  schema: BoundSchema,
  limit: number,
): Promise<number> {
  return run(database, schema.bind(TRIM_LEASES), [limit]);
}

async function run(
  database: Database,
  statement: Statement,
  values: readonly SqlValue[],
): Promise<number> {
  return numberIn(onlyRow(await database.write(statement, values)), "done");
}
