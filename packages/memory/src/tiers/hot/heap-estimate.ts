import type { JsonValue, ObjectRecord } from "../../model/item.ts";

/**
 * Heap bytes of V8 on 64 bits, as measured on Node 24 with small objects and arrays; an estimate,
 * since shapes and short strings may be shared. The text of a value would be far off: `[{},{}]`
 * takes 3 bytes an element as text and over 60 in memory.
 */
const STRING_BYTES = 24;
const OBJECT_BYTES = 56;
const ARRAY_BYTES = 48;
const POINTER_BYTES = 8;
const NUMBER_BYTES = 8;
/** Record, entry and the entry's place in its map. */
const ENTRY_BYTES = 360;

/** What a record takes on the heap, its key and bookkeeping included. */
export function recordBytes(record: ObjectRecord): number {
  return (
    ENTRY_BYTES +
    jsonBytes(record.key) +
    jsonBytes(record.value) +
    jsonBytes(record.metadata) +
    jsonBytes(record.tags)
  );
}

function jsonBytes(value: JsonValue): number {
  if (typeof value === "string") return STRING_BYTES + value.length;
  if (typeof value === "number") return Number.isInteger(value) ? 0 : NUMBER_BYTES;
  if (typeof value !== "object" || value === null) return 0;
  if (isList(value)) {
    let bytes = ARRAY_BYTES + value.length * POINTER_BYTES;
    for (const element of value) bytes += jsonBytes(element);
    return bytes;
  }
  let bytes = OBJECT_BYTES;
  for (const name in value) {
    const member = value[name];
    if (member !== undefined) bytes += POINTER_BYTES + jsonBytes(member);
  }
  return bytes;
}

function isList(value: JsonValue): value is readonly JsonValue[] {
  return Array.isArray(value);
}
