import type { SqlValue } from "./database.ts";

/** An element of an array that goes as text. */
export type ElementValue = string | number | boolean | null;

/** What the driver sends as it is: a Buffer goes in PostgreSQL's binary form, all else as text. */
export type DriverValue =
  Buffer | string | number | boolean | bigint | null | readonly ElementValue[];

const BYTEA_OID = 17;
const HEADER_BYTES = 20;
const LENGTH_BYTES = 4;

type ArrayValue = Extract<SqlValue, readonly unknown[]>;

function isBytes(element: ArrayValue[number]): element is Uint8Array {
  return element instanceof Uint8Array;
}

/** One byte array makes it bytea[]; all nulls may be of any type, and go as text. */
function isBytesArray(value: ArrayValue): value is readonly (Uint8Array | null)[] {
  return value.some(isBytes);
}

/**
 * bytea[] in PostgreSQL's binary array form. The driver would write hexadecimal text: twice the
 * bytes on the wire, and encoded here and decoded there, for what is most of a batch.
 */
function encodeBytesArray(elements: readonly (Uint8Array | null)[]): Buffer {
  let size = HEADER_BYTES;
  let hasNull = 0;
  for (const element of elements) {
    if (element === null) hasNull = 1;
    size += LENGTH_BYTES + (element?.length ?? 0);
  }
  const out = Buffer.allocUnsafe(size);
  // Dimensions, null flag, element type, length of the dimension, its lower bound.
  for (const [index, field] of [1, hasNull, BYTEA_OID, elements.length, 1].entries()) {
    out.writeInt32BE(field, index * LENGTH_BYTES);
  }
  let offset = HEADER_BYTES;
  for (const element of elements) {
    offset = out.writeInt32BE(element === null ? -1 : element.length, offset);
    if (element === null) continue;
    out.set(element, offset);
    offset += element.length;
  }
  return out;
}

function encode(value: SqlValue): DriverValue {
  if (typeof value !== "object" || value === null) return value;
  if (value instanceof Uint8Array) {
    return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  }
  return isBytesArray(value) ? encodeBytesArray(value) : value;
}

export function encodeValues(values: readonly SqlValue[]): DriverValue[] {
  return values.map(encode);
}
