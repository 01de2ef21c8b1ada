import { MemoryError } from "../../model/errors.ts";
import { numberIn, textIn } from "../postgres/columns.ts";
import type { Queryable, Row } from "../postgres/database.ts";
import { sqlState } from "../postgres/pg-errors.ts";
import { checkIndex, missingIndex, refuseOther } from "../index-version.ts";
import type { IndexVersion } from "../vector.ts";
import { prepareExtension } from "./extension.ts";
import type { PgvectorContext } from "./pgvector-context.ts";
import { DIMENSIONS_MAX, VectorTable } from "./vector-table.ts";

const UNDEFINED_TABLE = "42P01";
const INSUFFICIENT_PRIVILEGE = "42501";
const LIMIT = {
  dimensionsMax: DIMENSIONS_MAX,
  where: "PostgreSQL",
  remedy:
    "choose a shorter model, let the endpoint shorten them (CHERRY_EMBEDDINGS_DIMENSIONS), or set WEAVIATE_URL",
};
/** An index version that is dropped elsewhere is noticed by its missing table; one more look is enough. */
const CACHED_MAX = 64;

/**
 * Which index versions there are: a row each, and a table made in the same transaction. Nothing of it
 * is in the migrations, because the extension may be missing and everything else must work then.
 */
export class IndexRegistry {
  readonly #context: PgvectorContext;
  readonly #tables = new Map<number, VectorTable>();
  #extension: string | undefined;

  constructor(context: PgvectorContext) {
    this.#context = context;
  }

  async prepare(): Promise<void> {
    const { database, schema } = this.#context;
    this.#extension = await prepareExtension(database);
    const [found] = await database.query({ text: "SELECT to_regclass($1) IS NOT NULL AS found" }, [
      schema.text("{{schema}}.vector_indexes"),
    ]);
    if (found?.["found"] === true) return;
    await this.#change((tx) =>
      tx.query({
        text: schema.text(`CREATE TABLE IF NOT EXISTS {{schema}}.vector_indexes (
          number     integer PRIMARY KEY,
          model      text NOT NULL,
          dimensions integer NOT NULL,
          made_at    timestamptz NOT NULL DEFAULT clock_timestamp()
        )`),
      }),
    );
  }

  async ensure(index: IndexVersion): Promise<void> {
    checkIndex(index, LIMIT);
    const known = (await this.#find(index.number))?.index;
    if (known !== undefined) {
      refuseOther(index, known);
      return;
    }
    await this.#change(async (tx) => {
      const [other] = await this.#read(tx, index.number);
      if (other !== undefined) {
        refuseOther(index, other);
        return;
      }
      await tx.query(
        {
          text: this.#context.schema.text(
            "INSERT INTO {{schema}}.vector_indexes (number, model, dimensions) VALUES ($1, $2, $3)",
          ),
        },
        [index.number, index.model, index.dimensions],
      );
      for (const text of this.#tableOf(index).creation()) await tx.query({ text });
    });
  }

  list(): Promise<readonly IndexVersion[]> {
    return this.#read(this.#context.database);
  }

  async drop(number: number): Promise<void> {
    this.forget(number);
    const [index] = await this.#read(this.#context.database, number);
    if (index === undefined) return;
    await this.#change(async (tx) => {
      await tx.query({ text: this.#tableOf(index).removal() });
      await tx.query(
        {
          text: this.#context.schema.text(
            "DELETE FROM {{schema}}.vector_indexes WHERE number = $1",
          ),
        },
        [number],
      );
    });
  }

  /** All there are now: another server may have made one. */
  async tables(): Promise<readonly VectorTable[]> {
    return (await this.list()).map((index) => this.#tableOf(index));
  }

  /** Works on the table of an index version; NOT_FOUND when it is not there, or not any more. */
  async with<T>(number: number, work: (table: VectorTable) => Promise<T>): Promise<T> {
    const table = await this.#find(number);
    if (table === undefined) throw missingIndex(number);
    try {
      return await work(table);
    } catch (error) {
      if (!isMissingTable(error)) throw error;
      this.forget(number);
      throw missingIndex(number, error);
    }
  }

  forget(number: number): void {
    this.#tables.delete(number);
  }

  async #find(number: number): Promise<VectorTable | undefined> {
    const cached = this.#tables.get(number);
    if (cached !== undefined) return cached;
    const [index] = await this.#read(this.#context.database, number);
    if (index === undefined) return undefined;
    const table = this.#tableOf(index);
    if (this.#tables.size >= CACHED_MAX) this.#tables.clear();
    this.#tables.set(number, table);
    return table;
  }

  async #read(from: Queryable, number?: number): Promise<readonly IndexVersion[]> {
    const rows = await from.query(
      {
        text: this.#context.schema.text(`SELECT number, model, dimensions
          FROM {{schema}}.vector_indexes WHERE $1::int IS NULL OR number = $1 ORDER BY number`),
      },
      [number ?? null],
    );
    return rows.map(indexOf);
  }

  #tableOf(index: IndexVersion): VectorTable {
    if (this.#extension === undefined)
      throw new MemoryError("NOT_INITIALIZED", "the vector tier is not open; await initialize()");
    return new VectorTable(index, this.#context.schema, this.#extension);
  }

  /** One server at a time: CREATE TABLE IF NOT EXISTS is no shield against two that make it at once. */
  async #change(work: (tx: Queryable) => Promise<unknown>): Promise<void> {
    const { database, schema } = this.#context;
    try {
      await database.transaction(async (tx) => {
        await tx.query({ text: "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))" }, [
          `cherry-vectors:${schema.name}`,
        ]);
        await work(tx);
      });
    } catch (error) {
      if (sqlState(error) !== INSUFFICIENT_PRIVILEGE) throw error;
      throw new MemoryError(
        "CAPABILITY_UNAVAILABLE",
        `PostgreSQL cannot search by meaning: this database role may not make tables in schema ${JSON.stringify(schema.name)}; grant it CREATE on the schema`,
        { cause: error },
      );
    }
  }
}

/** True where the table went while the statement was on its way. */
export function isMissingTable(error: unknown): boolean {
  return sqlState(error) === UNDEFINED_TABLE;
}

function indexOf(row: Row): IndexVersion {
  return {
    number: numberIn(row, "number"),
    model: textIn(row, "model"),
    dimensions: numberIn(row, "dimensions"),
  };
}
