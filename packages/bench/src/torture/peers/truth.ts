import { Pool } from "pg";
import type { QueryResult } from "pg";
import type { Value } from "../servers/protocol.ts";

/** A row as it is cached: a live value, or that there is none. */
export interface Entry {
  readonly value: Value | null;
  readonly version: number;
}

interface Row {
  readonly key: string;
  readonly value: Value | null;
  readonly version: string;
}

const TABLE = `CREATE TABLE IF NOT EXISTS truth (
  namespace text, key text, version bigint NOT NULL, value jsonb, expires_at timestamptz,
  PRIMARY KEY (namespace, key))`;

/** A removal keeps its row, so that versions go on. */
const PUT = `INSERT INTO truth AS t (namespace, key, version, value, expires_at)
  VALUES ($1, $2, 1, $3, now() + make_interval(secs => $4))
  ON CONFLICT (namespace, key) DO UPDATE
    SET version = t.version + 1, value = excluded.value, expires_at = excluded.expires_at
    WHERE $5::bigint IS NULL OR t.version = $5
  RETURNING version`;
const REMOVE = `UPDATE truth SET version = version + 1, value = NULL, expires_at = NULL
  WHERE namespace = $1 AND (key = ANY ($2) OR $2 IS NULL) AND value IS NOT NULL
  RETURNING key, version`;
const GET = `SELECT key, version,
    CASE WHEN expires_at IS NULL OR expires_at > clock_timestamp() THEN value END AS value
  FROM truth WHERE namespace = $1 AND key = ANY ($2)`;

const POOL_MAX = 6;
const CONNECT_TIMEOUT_MS = 2000;
const QUERY_TIMEOUT_MS = 5000;

/** The database beside which a cache is used: what is true, in one table. */
export class Truth {
  readonly #pool: Pool;

  constructor(databaseUrl: string) {
    this.#pool = new Pool({
      connectionString: databaseUrl,
      max: POOL_MAX,
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      query_timeout: QUERY_TIMEOUT_MS,
    });
    this.#pool.on("error", () => {
      // An idle connection was lost; the next query takes another.
    });
  }

  async open(): Promise<void> {
    await this.#pool.query(TABLE);
  }

  async get(namespace: string, key: string): Promise<Entry> {
    const [entry] = await this.getMany(namespace, [key]);
    return entry ?? { value: null, version: 0 };
  }

  async getMany(namespace: string, keys: readonly string[]): Promise<readonly Entry[]> {
    const { rows }: QueryResult<Row> = await this.#pool.query(GET, [namespace, keys]);
    const found = new Map(rows.map((row) => [row.key, row]));
    return keys.map((key) => {
      const row = found.get(key);
      return row === undefined
        ? { value: null, version: 0 }
        : { value: row.value, version: Number(row.version) };
    });
  }

  /** Undefined: the condition did not hold. */
  async put(
    namespace: string,
    key: string,
    value: Value,
    options: { readonly ttlSeconds?: number; readonly replaces?: number } = {},
  ): Promise<number | undefined> {
    const { ttlSeconds, replaces } = options;
    const values = [namespace, key, JSON.stringify(value), ttlSeconds ?? null, replaces ?? null];
    const { rows }: QueryResult<Row> = await this.#pool.query(PUT, values);
    return rows[0] && Number(rows[0].version);
  }

  /** The keys that were there, with the versions of their removals; all of the namespace without `keys`. */
  async remove(namespace: string, keys?: readonly string[]): Promise<ReadonlyMap<string, number>> {
    const { rows }: QueryResult<Row> = await this.#pool.query(REMOVE, [namespace, keys ?? null]);
    return new Map(rows.map((row) => [row.key, Number(row.version)]));
  }

  async close(): Promise<void> {
    await this.#pool.end();
  }
}
