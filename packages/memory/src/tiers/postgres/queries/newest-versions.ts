import type { ItemRef } from "../../../model/item.ts";
import type { BoundSchema } from "../bound-schema.ts";
import { numberIn } from "../columns.ts";
import type { Queryable, Statement } from "../database.ts";

const NEWEST: Statement = {
  name: "newest_versions",
  text: `SELECT greatest(coalesce(i.version, 0), {{schema}}.cleared_version(o.namespace)) AS version
    FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS o (namespace, key, ord)
    LEFT JOIN {{schema}}.items i ON i.namespace = o.namespace AND i.key = o.key
    ORDER BY o.ord`,
};

/** Of each item, alive or deleted, and of clears of its namespace; 0 where nothing is known. */
export async function newestVersions(
  database: Queryable,
  schema: BoundSchema,
  refs: readonly ItemRef[],
): Promise<readonly number[]> {
  const rows = await database.query(schema.bind(NEWEST), [
    refs.map(({ namespace }) => namespace),
    refs.map(({ key }) => key),
  ]);
  return rows.map((row) => numberIn(row, "version"));
}
