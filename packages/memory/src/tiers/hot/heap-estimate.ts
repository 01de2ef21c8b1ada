import type { JsonObject, JsonValue, ObjectRecord } from "../../model/item.ts";

/**
 * Heap bytes of V8 on 64 bits: 1 to 1.5 times what was measured on Node 24 for text, numbers, lists
 * and objects of all kinds (`{ n: 1 }` 1.4, 1 KB records 1.15). An estimate, since shapes and names
 * may be shared. The length of the text would be far off: `[{},{}]` takes 3 bytes an element as
 * text and over 60 in memory.
 */
const STRING_BYTES = 24;
const OBJECT_BYTES = 56;
const ARRAY_BYTES = 48;
const POINTER_BYTES = 8;
/** A number that is no small whole one. */
const NUMBER_BYTES = 16;
const SMALL_MAX = 2 ** 31;
/** With more members than this an object is taken for a dictionary, whose names are its own. */
const SHAPED_MEMBERS_MAX = 16;
const DICTIONARY_MEMBER_BYTES = 130;
/** Text with one such character takes two bytes for each. */
const WIDE = /[^\u0000-\u00ff]/;
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
  if (typeof value === "string") return textBytes(value);
  if (typeof value === "number")
    return Number.isInteger(value) && Math.abs(value) < SMALL_MAX ? 0 : NUMBER_BYTES;
  if (typeof value !== "object" || value === null) return 0;
  if (isList(value)) {
    let bytes = ARRAY_BYTES + value.length * POINTER_BYTES;
    for (const element of value) bytes += jsonBytes(element);
    return bytes;
  }
  return objectBytes(value);
}

function textBytes(text: string): number {
  return STRING_BYTES + text.length * (WIDE.test(text) ? 2 : 1);
}

function objectBytes(object: JsonObject): number {
  let bytes = OBJECT_BYTES;
  let members = 0;
  for (const name in object) {
    members += 1;
    bytes += POINTER_BYTES + jsonBytes(object[name] ?? null);
    if (members > SHAPED_MEMBERS_MAX) bytes += DICTIONARY_MEMBER_BYTES + textBytes(name);
  }
  return bytes;
}

function isList(value: JsonValue): value is readonly JsonValue[] {
  return Array.isArray(value);
}
