import { quoteIdentifier } from "../postgres/schema.ts";
import type { SqlValue } from "../postgres/database.ts";
import type { PgliteSession } from "./pglite-session.ts";

/** Writes between two looks at what is due. */
const LOOK_EVERY_WRITES = 16;
/** Bytes of values between two looks. */
const LOOK_EVERY_BYTES = 4 * 1024 * 1024;
/** Log since the last checkpoint; what a restart after a crash must replay at most. */
const CHECKPOINT_AFTER_BYTES = 64 * 1024 * 1024;
/** Log between two looks at the tables. */
const TABLES_AFTER_BYTES = 8 * 1024 * 1024;

interface WornTable {
  readonly schema: string;
  readonly name: string;
  readonly vacuum: boolean;
}

/** As autovacuum decides, by its default thresholds, but for the smallest tables. */
const WORN_TABLES = {
  name: "worn_tables",
  text: `SELECT schemaname AS schema, relname AS name,
                n_dead_tup > 1000 + 0.2 * n_live_tup AS vacuum
         FROM pg_stat_user_tables
         WHERE n_dead_tup > 1000 + 0.2 * n_live_tup
            OR n_mod_since_analyze > 1000 + 0.1 * n_live_tup
         ORDER BY n_dead_tup + n_mod_since_analyze DESC LIMIT 1`,
};

const LOG_BYTES = {
  name: "log_bytes",
  text: "SELECT (pg_current_wal_insert_lsn() - '0/0')::float8 AS bytes",
};

/**
 * What a server's background processes do, and an embedded engine has none: checkpoints, without which
 * the log grows for ever and a restart takes ever longer, and vacuum and analyze, without which tables
 * bloat and the planner guesses. It runs after a write, between two calls, one thing at a time.
 */
export class Housekeeping {
  readonly #session: PgliteSession;
  #writes = 0;
  #bytes = 0;
  #checkpointAt: number | undefined;
  #tablesAt: number | undefined;

  constructor(session: PgliteSession) {
    this.#session = session;
  }

  /** Counts one write. True: `run` should be called when the engine is free. */
  isDue(values: readonly SqlValue[] = []): boolean {
    this.#writes++;
    for (const value of values) this.#bytes += bytesOf(value);
    return this.#writes >= LOOK_EVERY_WRITES || this.#bytes >= LOOK_EVERY_BYTES;
  }

  async run(): Promise<void> {
    this.#writes = 0;
    this.#bytes = 0;
    const [row] = await this.#session.run(LOG_BYTES);
    const logBytes = Number(row?.["bytes"]);
    this.#checkpointAt ??= logBytes + CHECKPOINT_AFTER_BYTES;
    this.#tablesAt ??= logBytes + TABLES_AFTER_BYTES;
    if (logBytes >= this.#checkpointAt) {
      this.#checkpointAt = logBytes + CHECKPOINT_AFTER_BYTES;
      await this.#session.control("CHECKPOINT");
    } else if (logBytes >= this.#tablesAt) {
      this.#tablesAt = logBytes + TABLES_AFTER_BYTES;
      await this.#mendTable();
    }
  }

  async #mendTable(): Promise<void> {
    const [row] = await this.#session.run(WORN_TABLES);
    if (row === undefined) return;
    const table: WornTable = {
      schema: String(row["schema"]),
      name: String(row["name"]),
      vacuum: row["vacuum"] === true,
    };
    const target = `${quoteIdentifier(table.schema)}.${quoteIdentifier(table.name)}`;
    await this.#session.control(table.vacuum ? `VACUUM (ANALYZE) ${target}` : `ANALYZE ${target}`);
  }
}

function bytesOf(value: SqlValue): number {
  if (value instanceof Uint8Array || typeof value === "string") return value.length;
  if (typeof value !== "object" || value === null) return 0;
  let bytes = 0;
  for (const element of value) bytes += bytesOf(element);
  return bytes;
}
