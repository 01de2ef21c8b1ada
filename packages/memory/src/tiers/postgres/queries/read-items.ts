import type { ItemRecord, ItemRef } from "../../../model/item.ts";
import type { BoundSchema } from "../bound-schema.ts";
import { numberIn } from "../columns.ts";
import type { Queryable, Statement } from "../database.ts";
import { FACT_COLUMNS, NOT_CLEARED, NOT_DEAD, recordOf } from "../record-columns.ts";

const READ_ITEM: Statement = {
  name: "read_item",
  text: `SELECT ${FACT_COLUMNS}
    FROM {{schema}}.items i
    WHERE i.namespace = $1 AND i.key = $2 AND ${NOT_DEAD} AND ${NOT_CLEARED}`,
};

const READ_ITEMS: Statement = {
  name: "read_items",
  text: `SELECT wanted.place, ${FACT_COLUMNS}
    FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS wanted (namespace, key, place)
    JOIN {{schema}}.items i ON i.namespace = wanted.namespace AND i.key = wanted.key
    WHERE ${NOT_DEAD} AND ${NOT_CLEARED}`,
};

/** Rows of one answer: a thousand of the largest bodies are a gigabyte already. */
const READ_ROWS_MAX = 1000;

/** Live items in the order asked, by one statement or, of very many, by several. */
export async function readItems(
  database: Queryable,
  schema: BoundSchema,
  request: { readonly refs: readonly ItemRef[]; readonly sentAtMs: number },
): Promise<readonly (ItemRecord | undefined)[]> {
  const { refs, sentAtMs } = request;
  const [first] = refs;
  if (first === undefined) return [];
  if (refs.length === 1) {
    const rows = await database.query(schema.bind(READ_ITEM), [first.namespace, first.key]);
    return [rows[0] === undefined ? undefined : recordOf(rows[0], first, sentAtMs)];
  }
  const records: (ItemRecord | undefined)[] = Array.from({ length: refs.length });
  for (let start = 0; start < refs.length; start += READ_ROWS_MAX) {
    const part = refs.slice(start, start + READ_ROWS_MAX);
    const rows = await database.query(schema.bind(READ_ITEMS), [
      part.map((ref) => ref.namespace),
      part.map((ref) => ref.key),
    ]);
    for (const row of rows) {
      const place = start + numberIn(row, "place") - 1;
      const ref = refs[place];
      if (ref !== undefined) records[place] = recordOf(row, ref, sentAtMs);
    }
  }
  return records;
}
