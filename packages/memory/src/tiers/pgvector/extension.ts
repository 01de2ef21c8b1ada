import { MemoryError, toMemoryError } from "../../model/errors.ts";
import { textIn } from "../postgres/columns.ts";
import type { Database, Queryable } from "../postgres/database.ts";
import { sqlState } from "../postgres/pg-errors.ts";

/** The first that goes on scanning until a page is full (`hnsw.iterative_scan`). */
const VERSION_MIN = [0, 8] as const;

const INSUFFICIENT_PRIVILEGE = "42501";
const UNDEFINED_FILE = "58P01";
const FEATURE_NOT_SUPPORTED = "0A000";

/** The schema that pgvector is in; makes it where it may. CAPABILITY_UNAVAILABLE names the remedy. */
export async function prepareExtension(database: Database): Promise<string> {
  const there = await findExtension(database);
  if (there !== undefined) return there;
  try {
    // Two servers that make it at once: the second finds the first one's.
    await database.write({ text: "CREATE EXTENSION IF NOT EXISTS vector" });
  } catch (error) {
    const made = await findExtension(database);
    if (made !== undefined) return made;
    throw explain(error);
  }
  const made = await findExtension(database);
  if (made !== undefined) return made;
  throw unavailable("pgvector was made, and yet is not there", "look at the server's log");
}

async function findExtension(database: Queryable): Promise<string | undefined> {
  const [row] = await database.query({
    text: `SELECT n.nspname::text AS home, e.extversion AS version FROM pg_catalog.pg_extension e
      JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace WHERE e.extname = 'vector'`,
  });
  if (row === undefined) return undefined;
  const version = textIn(row, "version");
  if (isOld(version))
    throw unavailable(
      `its extension vector is of version ${version}, expected ${VERSION_MIN.join(".")} or newer`,
      "install pgvector 0.8 and run ALTER EXTENSION vector UPDATE",
    );
  return textIn(row, "home");
}

function isOld(version: string): boolean {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return major < VERSION_MIN[0] || (major === VERSION_MIN[0] && minor < VERSION_MIN[1]);
}

function explain(error: unknown): MemoryError {
  const state = sqlState(error);
  if (state === INSUFFICIENT_PRIVILEGE)
    return unavailable(
      "this database role may not make the extension vector",
      "let an administrator run CREATE EXTENSION vector in this database",
      error,
    );
  if (state === UNDEFINED_FILE || state === FEATURE_NOT_SUPPORTED)
    return unavailable(
      "the server does not have the extension vector",
      "install pgvector 0.8 or newer (Debian: postgresql-NN-pgvector), choose a server that has it, or set WEAVIATE_URL",
      error,
    );
  return toMemoryError(error);
}

function unavailable(fault: string, remedy: string, cause?: unknown): MemoryError {
  return new MemoryError(
    "CAPABILITY_UNAVAILABLE",
    `PostgreSQL cannot search by meaning: ${fault}; ${remedy}`,
    cause === undefined ? {} : { cause },
  );
}
