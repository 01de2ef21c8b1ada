import { MemoryError, toMemoryError } from "../../model/errors.ts";
import type { ItemRecord, ItemRef } from "../../model/item.ts";
import {
  bytesIn,
  deadlineOf,
  jsonObjectIn,
  numberIn,
  optionalNumberIn,
  textIn,
  textsIn,
  timeIn,
} from "./columns.ts";
import type { Row } from "./database.ts";

/**
 * An item's columns beside its address, of a row called `i`. What is left of its life is counted by
 * the database's clock at the moment the row is read. From an infinite time nothing can be subtracted,
 * and that would fail the statement for all rows.
 */
export const FACT_COLUMNS = `i.version, i.body, i.metadata, i.tags,
  date_part('epoch', i.created_at) * 1000 AS created_ms,
  date_part('epoch', i.updated_at) * 1000 AS updated_ms,
  date_part('epoch', i.expires_at) * 1000 AS expires_ms,
  CASE WHEN isfinite(i.expires_at)
    THEN date_part('epoch', i.expires_at - clock_timestamp()) * 1000 END AS remaining_ms`;

export const RECORD_COLUMNS: string = `i.namespace, i.key, ${FACT_COLUMNS}`;

/**
 * Neither deleted nor expired. By the clock and not by now(): a statement that waited for a lock must
 * not serve what expired meanwhile.
 */
export const NOT_DEAD = `i.deleted_at IS NULL
  AND (i.expires_at IS NULL OR i.expires_at > clock_timestamp())`;

/**
 * Not hidden by a clear. Clears live only until the sweep has passed, so mostly there is none, which
 * costs one look at an empty table for the whole statement.
 */
export const NOT_CLEARED = `(NOT EXISTS (SELECT FROM {{schema}}.namespace_clears)
  OR i.version > {{schema}}.cleared_version(i.namespace))`;

/**
 * `sentAtMs`: monotonic time before the query was sent, so that a deadline can only be early.
 * CORRUPT_VALUE when the row is not as it was written.
 */
export function recordOf(row: Row, ref: ItemRef, sentAtMs: number): ItemRecord {
  try {
    return soundRecordOf(row, ref, sentAtMs);
  } catch (cause) {
    const item = `${JSON.stringify(ref.key)} in namespace ${JSON.stringify(ref.namespace)}`;
    throw new MemoryError(
      "CORRUPT_VALUE",
      `the stored item ${item} is corrupt: ${toMemoryError(cause).message}; write it again or restore it from a backup`,
      { cause },
    );
  }
}

function soundRecordOf(row: Row, ref: ItemRef, sentAtMs: number): ItemRecord {
  const isEndless = row["expires_ms"] === null;
  const { indexing } = row;
  return {
    namespace: ref.namespace,
    key: ref.key,
    version: numberIn(row, "version"),
    body: bytesIn(row, "body"),
    ...(indexing instanceof Uint8Array ? { indexing } : {}),
    metadata: jsonObjectIn(row, "metadata"),
    tags: textsIn(row, "tags"),
    createdAtMs: timeIn(row, "created_ms"),
    updatedAtMs: timeIn(row, "updated_ms"),
    expiresAtMs: isEndless ? undefined : timeIn(row, "expires_ms"),
    deadlineMs: deadlineOf(sentAtMs, optionalNumberIn(row, "remaining_ms")),
  };
}

export function refOf(row: Row): ItemRef {
  return { namespace: textIn(row, "namespace"), key: textIn(row, "key") };
}
