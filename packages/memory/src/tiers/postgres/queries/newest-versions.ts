import type { KnownAsOf } from "../../authority.ts";
import type { BoundSchema } from "../bound-schema.ts";
import { numberIn } from "../columns.ts";
import type { Queryable, Statement } from "../database.ts";

const NEWEST: Statement = {
  name: "newest_versions",
  text: `SELECT {{schema}}.newest_version(o.namespace, o.key, o.since::xid8, $4) AS version
    FROM unnest($1::text[], $2::text[], $3::text[]) WITH ORDINALITY AS o (namespace, key, since, ord)
    ORDER BY o.ord`,
};

/** See `AuthorityTier.newestVersions`. No tombstone is purged before `ageSeconds`. */
export async function newestVersions(
  database: Queryable,
  schema: BoundSchema,
  request: { readonly known: readonly KnownAsOf[]; readonly ageSeconds: number },
): Promise<readonly number[]> {
  const { known, ageSeconds } = request;
  const rows = await database.query(schema.bind(NEWEST), [
    known.map(({ namespace }) => namespace),
    known.map(({ key }) => key),
    known.map(({ since }) => (since === undefined ? null : String(since))),
    ageSeconds,
  ]);
  return rows.map((row) => numberIn(row, "version"));
}
