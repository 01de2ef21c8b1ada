import type { ItemRecord, ItemRef } from "../../../model/item.ts";
import type { IdempotencyToken } from "../../authority.ts";
import type { BoundSchema } from "../bound-schema.ts";
import { onlyRow } from "../columns.ts";
import type { Queryable, Statement } from "../database.ts";
import { RECORD_COLUMNS, recordOf } from "../record-columns.ts";
import { ANSWER_COLUMNS, writeAnswerOf } from "./write-items.ts";
import type { WriteAnswer } from "./write-items.ts";

const LOCK_ITEM: Statement = {
  name: "lock_item",
  text: `SELECT ${ANSWER_COLUMNS}, ${RECORD_COLUMNS}
    FROM {{schema}}.lock_item($1, $2, $3, $4, $5) AS done
    CROSS JOIN LATERAL (SELECT (done.item).*) AS i`,
};

const RELEASE_TOKEN: Statement = {
  name: "release_token",
  text: `DELETE FROM {{schema}}.idempotency WHERE namespace = $1 AND id = $2 AND receipt IS NULL`,
};

export interface LockedItem {
  /** The answer of the same request made before; then nothing is to be done. */
  readonly replay: WriteAnswer | undefined;
  readonly record: ItemRecord | undefined;
}

/** Locks one item for the rest of the transaction. Must be its first statement. */
export async function lockItem(
  tx: Queryable,
  schema: BoundSchema,
  request: {
    readonly ref: ItemRef;
    readonly idempotency: IdempotencyToken | undefined;
    readonly sentAtMs: number;
  },
): Promise<LockedItem> {
  const { ref, idempotency, sentAtMs } = request;
  const rows = await tx.query(schema.bind(LOCK_ITEM), [
    ref.namespace,
    ref.key,
    idempotency?.namespace ?? null,
    idempotency?.id ?? null,
    idempotency?.requestHash ?? null,
  ]);
  const row = onlyRow(rows);
  return {
    replay: writeAnswerOf(rows, sentAtMs),
    record: row["key"] === null ? undefined : recordOf(row, ref, sentAtMs),
  };
}

/** Gives up a key that was claimed by this transaction, because nothing was written under it. */
export async function releaseToken(
  tx: Queryable,
  schema: BoundSchema,
  token: IdempotencyToken,
): Promise<void> {
  await tx.query(schema.bind(RELEASE_TOKEN), [token.namespace, token.id]);
}
