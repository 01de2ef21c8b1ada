import type { BoundSchema } from "../bound-schema.ts";
import { numberIn } from "../columns.ts";
import type { Database, Queryable, Statement } from "../database.ts";

const LOAD_CONSUMER: Statement = {
  name: "load_consumer",
  text: `SELECT position FROM {{schema}}.consumers WHERE name = $1 AND NOT rebuild`,
};

const SAVE_CONSUMER: Statement = {
  name: "save_consumer",
  text: `INSERT INTO {{schema}}.consumers (name, position) VALUES ($1, $2)
    ON CONFLICT (name) DO UPDATE
      SET position = excluded.position, rebuild = false, updated_at = excluded.updated_at`,
};

export async function loadConsumer(
  database: Queryable,
  schema: BoundSchema,
  name: string,
): Promise<number | undefined> {
  const [row] = await database.query(schema.bind(LOAD_CONSUMER), [name]);
  return row === undefined ? undefined : numberIn(row, "position");
}

export async function saveConsumer(
  database: Database,
  schema: BoundSchema,
  consumer: { readonly name: string; readonly position: number },
): Promise<void> {
  await database.write(schema.bind(SAVE_CONSUMER), [consumer.name, consumer.position]);
}
