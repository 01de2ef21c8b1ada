/** What a careful hand would write against the same PostgreSQL, without us. */
import { Pool } from "pg";
import { textOption } from "../harness/contender.ts";
import type { Contender, ContenderFactory, Contenders } from "../harness/contender.ts";
import { batchOfTurns, BATCH_ITEMS, POOL_CONNECTIONS, readsInFlight } from "./database-work.ts";
import { makeKeys, makeTurn } from "./workload.ts";
import type { Turn } from "./workload.ts";

const NAMESPACE = "bench";

/** Our own tables under another name: same columns, defaults, storage and indexes. */
const COPY_TABLES = `
  CREATE SCHEMA IF NOT EXISTS peer;
  CREATE SEQUENCE IF NOT EXISTS peer.versions CACHE 1;
  CREATE TABLE IF NOT EXISTS peer.items (LIKE cherry.items INCLUDING ALL);
  CREATE TABLE IF NOT EXISTS peer.changes (LIKE cherry.changes INCLUDING ALL);`;

/** LIKE does not bring a table's own settings, such as its fillfactor. */
const TABLE_SETTINGS = `
  SELECT c.relname AS name, array_to_string(c.reloptions, ', ') AS settings FROM pg_class c
  WHERE c.oid IN ('cherry.items'::regclass, 'cherry.changes'::regclass) AND c.reloptions IS NOT NULL`;

const UPSERT = `
  WITH upserted AS (
    INSERT INTO peer.items AS i (namespace, key, version, body, metadata, tags, created_at, updated_at)
    SELECT $1, key, nextval('peer.versions'), body, metadata::jsonb, ARRAY[tag], now(), now()
    FROM unnest($2::text[], $3::bytea[], $4::text[], $5::text[]) AS t (key, body, metadata, tag)
    ON CONFLICT (namespace, key) DO UPDATE SET
      version = GREATEST(i.version + 1, excluded.version), body = excluded.body,
      metadata = excluded.metadata, tags = excluded.tags, updated_at = excluded.updated_at,
      expires_at = NULL, deleted_at = NULL
    RETURNING namespace, key, version
  )
  INSERT INTO peer.changes (namespace, key, version, op)
  SELECT namespace, key, version, 'put' FROM upserted`;

/** The whole item, as ours reads it, and nothing computed. */
const SELECT = `
  SELECT version, body, metadata, tags, created_at, updated_at, expires_at
  FROM peer.items WHERE namespace = $1 AND key = $2`;

async function openPool(url: string): Promise<Pool> {
  const pool = new Pool({ connectionString: url, max: POOL_CONNECTIONS });
  await pool.query(COPY_TABLES);
  const { rows } = await pool.query<{ name: string; settings: string }>(TABLE_SETTINGS);
  for (const { name, settings } of rows)
    await pool.query(`ALTER TABLE peer.${name} SET (${settings})`);
  return pool;
}

/** One transaction for 1,000 items: rows and change log by one prepared statement. */
async function upsertBatch(pool: Pool, batch: number): Promise<void> {
  const items = batchOfTurns(batch);
  await pool.query({
    name: "upsert",
    text: UPSERT,
    values: [
      NAMESPACE,
      items.map(({ key }) => key),
      items.map(({ value }) => Buffer.from(JSON.stringify(value))),
      items.map(({ metadata }) => JSON.stringify(metadata)),
      items.map(({ tags }) => tags[0] ?? ""),
    ],
  });
}

const batchSet: ContenderFactory = async (options) => {
  const pool = await openPool(textOption(options, "databaseUrl"));
  let batch = 0;
  const run = async (operations: number): Promise<number> => {
    for (let operation = 0; operation < operations; operation += 1) {
      await upsertBatch(pool, batch);
      batch += 1;
    }
    return batch;
  };
  return { run, close: () => pool.end() };
};

const get: ContenderFactory = async (options): Promise<Contender> => {
  const pool = await openPool(textOption(options, "databaseUrl"));
  await upsertBatch(pool, 0);
  const read = async (key: string): Promise<Turn | undefined> => {
    const { rows } = await pool.query<{ body: Buffer }>({
      name: "select",
      text: SELECT,
      values: [NAMESPACE, key],
    });
    const body = rows[0]?.body;
    return body === undefined ? undefined : (JSON.parse(body.toString()) as Turn);
  };
  const keys = makeKeys(BATCH_ITEMS);
  if (JSON.stringify(await read(keys[3] ?? "")) !== JSON.stringify(makeTurn(3)))
    throw new Error("the peer does not read back what it wrote");
  return readsInFlight({ keys, read, close: () => pool.end() }, Number(options["inFlight"]));
};

export const contenders: Contenders = { "batch set": batchSet, get };
