import { MemoryError } from "../../model/errors.ts";
import { loadMigrations } from "./migrations.ts";
import { sqlState } from "./pg-errors.ts";
import { inSchema, quoteIdentifier } from "./schema.ts";
import type { Database } from "./database.ts";
import type { Migration } from "./migrations.ts";

interface Applied {
  readonly name: string;
  readonly checksum: string;
}

const UNIQUE_VIOLATION = "23505";
const UNDEFINED_FILE = "58P01";
const INSUFFICIENT_PRIVILEGE = "42501";
/** Each round applies a migration or learns that another server did. */
const ROUNDS_MAX = 100;

/**
 * Brings a schema to this build's state; any number of servers may do so at once.
 *
 * A migration and the row that records it are one script, so one transaction, behind a lock that ends
 * with it; nothing depends on a session, so a pooler may stand between. A server that was second
 * fails on the row, with all that it did undone, and reads again where things stand. The same holds
 * after an answer that never came. A database that is ahead of this build is left as it is: migrations
 * only add, so the release before can run on it.
 */
export async function migrate(
  database: Database,
  schema: string,
  migrations?: readonly Migration[],
): Promise<{ from: number; to: number }> {
  const known = migrations ?? (await loadMigrations());
  let from: number | undefined;
  let last: MemoryError | undefined;
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const applied = await readApplied(database, schema);
    if (applied === undefined) {
      last = await attempt(database, createText(schema));
      continue;
    }
    checkApplied(applied, known, schema);
    const to = Math.max(0, ...applied.keys());
    from ??= to;
    const next = known.find((migration) => !applied.has(migration.id));
    if (next === undefined) return { from, to };
    last = await attempt(database, applyText(next, schema), next);
  }
  throw new MemoryError(
    "INTERNAL",
    `the migrations of schema ${JSON.stringify(schema)} did not come to an end in ${ROUNDS_MAX} rounds`,
    { cause: last },
  );
}

/** undefined: there is no table of migrations yet. */
async function readApplied(
  database: Database,
  schema: string,
): Promise<ReadonlyMap<number, Applied> | undefined> {
  const [found] = await database.query({ text: "SELECT to_regclass($1) IS NOT NULL AS found" }, [
    `${quoteIdentifier(schema)}.migrations`,
  ]);
  if (found?.["found"] !== true) return undefined;
  const rows = await database.query({
    text: inSchema("SELECT id, name, checksum FROM {{schema}}.migrations ORDER BY id", schema),
  });
  return new Map(
    rows.map((row) => [
      Number(row["id"]),
      { name: String(row["name"]), checksum: String(row["checksum"]) },
    ]),
  );
}

function checkApplied(
  applied: ReadonlyMap<number, Applied>,
  known: readonly Migration[],
  schema: string,
): void {
  for (const migration of known) {
    const there = applied.get(migration.id);
    if (there === undefined || there.checksum === migration.checksum) continue;
    throw new MemoryError(
      "INVALID_CONFIG",
      `migration ${migration.id} (${migration.name}) of schema ${JSON.stringify(schema)} was applied with other contents (${there.name}, checksum ${there.checksum.slice(0, 12)}, expected ${migration.checksum.slice(0, 12)}); an applied migration is never changed: restore its file, or use another schema`,
      { field: "CHERRY_DB_SCHEMA" },
    );
  }
}

function lockText(schema: string): string {
  const name = `'cherry-migrate:${schema.replaceAll("'", "''")}'`;
  return `SELECT pg_advisory_xact_lock(hashtextextended(${name}, 0));`;
}

/** CREATE SCHEMA asks for rights on the database even when the schema is there: it is asked for last. */
function createText(schema: string): string {
  const name = `'${schema.replaceAll("'", "''")}'`;
  return inSchema(
    `${lockText(schema)}
DO $cherry$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = ${name}) THEN
    CREATE SCHEMA {{schema}};
  END IF;
END $cherry$;
CREATE TABLE IF NOT EXISTS {{schema}}.migrations (
  id         integer PRIMARY KEY,
  name       text NOT NULL,
  checksum   text NOT NULL,
  applied_at timestamptz NOT NULL DEFAULT clock_timestamp()
);`,
    schema,
  );
}

function applyText(migration: Migration, schema: string): string {
  return inSchema(
    `${lockText(schema)}
INSERT INTO {{schema}}.migrations (id, name, checksum)
VALUES (${migration.id}, '${migration.name}', '${migration.checksum}');
${migration.text}`,
    schema,
  );
}

/** Runs a script whose repetition is harmless. An error returned means: read where things stand. */
async function attempt(
  database: Database,
  text: string,
  migration?: Migration,
): Promise<MemoryError | undefined> {
  try {
    await database.script(text);
    return undefined;
  } catch (error) {
    if (!(error instanceof MemoryError)) throw error;
    const state = sqlState(error);
    if (state === UNIQUE_VIOLATION || error.code === "OUTCOME_UNKNOWN") return error;
    throw explain(error, state, migration);
  }
}

function explain(
  error: MemoryError,
  state: string | undefined,
  migration?: Migration,
): MemoryError {
  const what = migration === undefined ? "the schema" : `migration ${migration.id}`;
  const extension = /extension/i.test(error.message);
  if (extension && (state === UNDEFINED_FILE || state === "0A000")) {
    return new MemoryError(
      "INVALID_CONFIG",
      `${what} needs PostgreSQL's extension btree_gin, which this server does not have: install its contrib package (Debian: apt-get install postgresql-contrib) or choose a server that has it`,
      { cause: error },
    );
  }
  if (state === INSUFFICIENT_PRIVILEGE) {
    const remedy = extension
      ? "let an administrator run CREATE EXTENSION btree_gin in this database"
      : "grant this role CREATE on the database, or make the schema and give it to this role";
    return new MemoryError(
      "INVALID_CONFIG",
      `${what} may not be made by this database role: ${remedy} (${error.message})`,
      { cause: error },
    );
  }
  return error;
}
