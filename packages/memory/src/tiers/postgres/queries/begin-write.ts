import type { BoundSchema } from "../bound-schema.ts";
import type { Queryable, Statement } from "../database.ts";

const BEGIN_WRITE: Statement = {
  name: "begin_write",
  text: `SELECT {{schema}}.begin_write()`,
};

/** Takes the write lock, before any row is locked. */
export async function beginWrite(tx: Queryable, schema: BoundSchema): Promise<void> {
  await tx.query(schema.bind(BEGIN_WRITE));
}
