import type { Codec } from "../codec/codec.ts";
import type { ItemRecord, JsonValue, ObjectRecord } from "../model/item.ts";
import { deepFreeze } from "../model/value.ts";

/** Decoded and frozen. Throws CORRUPT_VALUE rather than return something else. */
export function decodeRecord(codec: Codec, record: ItemRecord): ObjectRecord {
  const { namespace, key, version, metadata, tags, createdAtMs, updatedAtMs } = record;
  const { expiresAtMs, deadlineMs, body } = record;
  // Field by field: spreading the record takes longer than parsing a small value.
  return {
    namespace,
    key,
    version,
    metadata,
    tags,
    createdAtMs,
    updatedAtMs,
    expiresAtMs,
    deadlineMs,
    value: valueIn(codec, record, record.checkedText?.()),
    sizeBytes: codec.valueBytes(body),
  };
}

/** The value alone, frozen. `text`: of the record, where it is known to be sound. */
export function valueIn(codec: Codec, record: ItemRecord, text: string | undefined): JsonValue {
  return deepFreeze(
    text === undefined ? codec.decode(record.body, record) : codec.parse(text, record),
  );
}
