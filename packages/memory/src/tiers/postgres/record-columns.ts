import type { ItemRecord, ItemRef } from "../../model/item.ts";
import {
  bytesIn,
  deadlineOf,
  exactMs,
  jsonObjectIn,
  numberIn,
  optionalNumberIn,
  textIn,
  textsIn,
} from "./columns.ts";
import type { Row } from "./database.ts";

/**
 * An item's columns beside its address, of a row called `i`. What is left of its life is counted by
 * the database's clock at the moment the row is read.
 */
export const FACT_COLUMNS = `i.version, i.body, i.metadata, i.tags,
  date_part('epoch', i.created_at) * 1000 AS created_ms,
  date_part('epoch', i.updated_at) * 1000 AS updated_ms,
  date_part('epoch', i.expires_at) * 1000 AS expires_ms,
  date_part('epoch', i.expires_at - clock_timestamp()) * 1000 AS remaining_ms`;

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

/** `sentAtMs`: monotonic time before the query was sent, so that a deadline can only be early. */
export function recordOf(row: Row, ref: ItemRef, sentAtMs: number): ItemRecord {
  const expiresMs = optionalNumberIn(row, "expires_ms");
  return {
    namespace: ref.namespace,
    key: ref.key,
    version: numberIn(row, "version"),
    body: bytesIn(row, "body"),
    metadata: jsonObjectIn(row, "metadata"),
    tags: textsIn(row, "tags"),
    createdAtMs: exactMs(numberIn(row, "created_ms")),
    updatedAtMs: exactMs(numberIn(row, "updated_ms")),
    expiresAtMs: expiresMs === undefined ? undefined : exactMs(expiresMs),
    deadlineMs: deadlineOf(sentAtMs, optionalNumberIn(row, "remaining_ms")),
  };
}

export function refOf(row: Row): ItemRef {
  return { namespace: textIn(row, "namespace"), key: textIn(row, "key") };
}
