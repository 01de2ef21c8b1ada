import { query } from "../database.ts";

/** Microseconds, which still are whole numbers below 2^53. */
const WALL_VERSION = `CREATE FUNCTION cherry.wall_version() RETURNS bigint LANGUAGE sql VOLATILE AS $$
  SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint
    + coalesce(nullif(current_setting('torture.skew_us', true), ''), '0')::bigint $$`;

const DRAWN = String.raw`nextval\('[^']*versions'(::regclass)?\)`;
const RIGHT_VERSIONS = [
  // Of a put: the drawn one if it is above the row's, else one above that.
  new RegExp(
    String.raw`CASE WHEN excluded\.version > i\.version THEN excluded\.version\s+ELSE greatest\(i\.version \+ 1, ${DRAWN}\) END`,
    "g",
  ),
  new RegExp(String.raw`greatest\((i\.|old_)version \+ 1, ${DRAWN}\)`, "g"),
  new RegExp(DRAWN, "g"),
];

/** Versions become the wall clock of the server that writes, right or wrong as it is. */
export async function useWallClockVersions(databaseUrl: string): Promise<void> {
  await query(databaseUrl, WALL_VERSION);
  const functions = (await query(
    databaseUrl,
    `SELECT pg_get_functiondef(p.oid) AS text FROM pg_proc p
     WHERE p.pronamespace = 'cherry'::regnamespace AND p.prosrc LIKE '%versions%'`,
  )) as readonly { readonly text: string }[];
  let replaced = 0;
  for (const { text } of functions) {
    const broken = RIGHT_VERSIONS.reduce(
      (sql, pattern) => sql.replace(pattern, "cherry.wall_version()"),
      text,
    );
    if (broken === text) continue;
    replaced += 1;
    await query(databaseUrl, broken);
  }
  if (replaced < 2) throw new Error("the functions that draw versions were not found");
}

/** The URL for a server whose wall clock is off by so much. */
export function withSkew(databaseUrl: string, skewMs: number): string {
  const url = new URL(databaseUrl);
  url.searchParams.set("options", `-c torture.skew_us=${skewMs * 1000}`);
  return url.href;
}
