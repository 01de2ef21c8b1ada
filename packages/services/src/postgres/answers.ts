import { Client } from "pg";

const CONNECT_TIMEOUT_MS = 2_000;

/** Whether a server answers a query at `url`. */
export async function answers(url: string): Promise<boolean> {
  const client = new Client({
    connectionString: url,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
  });
  client.on("error", () => {});
  try {
    await client.connect();
    await client.query("select 1");
    return true;
  } catch {
    return false;
  } finally {
    await client.end().catch(() => {});
  }
}

/** Creates a database on the server of `url` and returns the new one's URL. */
export async function createDatabase(url: string, name: string): Promise<string> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(`create database ${client.escapeIdentifier(name)}`);
  } finally {
    await client.end();
  }
  const made = new URL(url);
  made.pathname = `/${encodeURIComponent(name)}`;
  return made.href;
}

/** undefined when the server of `url` has the extension `vector`, otherwise why not. */
export async function pgvectorMissing(url: string): Promise<string | undefined> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    const has = "select 1 from pg_available_extensions where name = 'vector'";
    return (await client.query(has)).rows.length > 0
      ? undefined
      : "PostgreSQL without pgvector (.ci/tools/pgvector installs it)";
  } finally {
    await client.end();
  }
}
