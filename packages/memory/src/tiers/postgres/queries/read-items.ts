import { isMemoryError, toMemoryError } from "../../../model/errors.ts";
import type { MemoryError } from "../../../model/errors.ts";
import type { ItemRecord, ItemRef } from "../../../model/item.ts";
import type { BoundSchema } from "../bound-schema.ts";
import { numberIn } from "../columns.ts";
import type { Call, Queryable, Row, Statement } from "../database.ts";
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

/** What one row proves of its item: a damaged one says nothing about the others. */
export type Settled = ItemRecord | MemoryError | undefined;

/** The statement that reads these items; at least one, at most READ_ROWS_MAX. */
export function readCall(schema: BoundSchema, refs: readonly ItemRef[]): Call {
  const [first] = refs;
  if (refs.length === 1 && first !== undefined)
    return { statement: schema.bind(READ_ITEM), values: [first.namespace, first.key] };
  const values = [refs.map((ref) => ref.namespace), refs.map((ref) => ref.key)];
  return { statement: schema.bind(READ_ITEMS), values };
}

/** What its answer says of each of them, in their order. */
export function settledOf(
  rows: readonly Row[],
  refs: readonly ItemRef[],
  sentAtMs: number,
): Settled[] {
  const [first] = refs;
  const [row] = rows;
  if (refs.length === 1 && first !== undefined)
    return [row === undefined ? undefined : settledRecord(row, first, sentAtMs)];
  const settled: Settled[] = refs.map(() => undefined);
  for (const found of rows) {
    const place = numberIn(found, "place") - 1;
    const ref = refs[place];
    if (ref !== undefined) settled[place] = settledRecord(found, ref, sentAtMs);
  }
  return settled;
}

function settledRecord(row: Row, ref: ItemRef, sentAtMs: number): ItemRecord | MemoryError {
  try {
    return recordOf(row, ref, sentAtMs);
  } catch (error) {
    return toMemoryError(error);
  }
}

/** Live items in the order asked, by one statement or, of very many, by several. */
export async function readItems(
  database: Queryable,
  schema: BoundSchema,
  request: { readonly refs: readonly ItemRef[]; readonly sentAtMs: number },
): Promise<readonly (ItemRecord | undefined)[]> {
  const { refs, sentAtMs } = request;
  const records: (ItemRecord | undefined)[] = [];
  for (let start = 0; start < refs.length; start += READ_ROWS_MAX) {
    const part = refs.slice(start, start + READ_ROWS_MAX);
    const { statement, values } = readCall(schema, part);
    const rows = await database.query(statement, values);
    for (const one of settledOf(rows, part, sentAtMs)) {
      if (isMemoryError(one)) throw one;
      records.push(one);
    }
  }
  return records;
}
