import type { BoundSchema } from "../bound-schema.ts";
import { numberIn, onlyRow } from "../columns.ts";
import type { Queryable, Statement } from "../database.ts";

/** Up to here items are counted; beyond, the planner's estimate is near enough. */
const COUNTED_MAX = 10_000;

const USAGE: Statement = {
  name: "usage",
  text: `SELECT pg_total_relation_size(c.oid) AS bytes, greatest(c.reltuples, 0)::float8 AS estimate,
      (SELECT count(*) FROM (SELECT FROM {{schema}}.items i WHERE i.deleted_at IS NULL LIMIT $1) AS i)
        AS counted
    FROM pg_class c WHERE c.oid = to_regclass('{{schema}}.items')`,
};

export async function readUsage(
  database: Queryable,
  schema: BoundSchema,
): Promise<{ readonly items: number; readonly bytes: number }> {
  const row = onlyRow(await database.query(schema.bind(USAGE), [COUNTED_MAX]));
  const counted = numberIn(row, "counted");
  const items = counted < COUNTED_MAX ? counted : Math.max(counted, numberIn(row, "estimate"));
  return { items: Math.round(items), bytes: numberIn(row, "bytes") };
}
