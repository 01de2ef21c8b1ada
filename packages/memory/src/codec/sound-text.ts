import type { Buffer } from "node:buffer";
import { crc32 } from "node:zlib";
import { CHECK_AT, FORMAT_VERSION, HEADER_BYTES, LENGTH_AT, readU32 } from "./format.ts";

/** Longer texts gain nothing: there the copying and checking are small beside the rest. */
const TEXT_BYTES_MAX = 16 * 1024;

/** Where the text of a sound body begins; it goes to the body's end. */
export const TEXT_AT: number = HEADER_BYTES;
/** Where its CRC-32 is. */
export const TEXT_CRC_AT: number = CHECK_AT;

/**
 * Whether a body holds its text in clear, neither deflated nor encrypted, and length and checksum
 * are right. A tier in this process asks once, as it takes a body in, and may from then on hand out
 * the text alone: what the process holds in its own memory is trusted, here as everywhere.
 */
export function isSoundText(body: Uint8Array): boolean {
  const { length } = body;
  if (length < HEADER_BYTES || length > HEADER_BYTES + TEXT_BYTES_MAX) return false;
  if (body[0] !== FORMAT_VERSION || body[1] !== 0) return false;
  if (readU32(body, LENGTH_AT) !== length - HEADER_BYTES) return false;
  return crc32(body.subarray(HEADER_BYTES)) === readU32(body, CHECK_AT);
}

/**
 * The JSON text of a body that lies between two places of bytes whose check, as a whole, holds. Undefined
 * where it is deflated or encrypted, or what its header says cannot be: then the codec has to open it.
 */
export function clearText(bytes: Buffer, from: number, end: number): string | undefined {
  if (end < from + HEADER_BYTES || bytes[from] !== FORMAT_VERSION || bytes[from + 1] !== 0)
    return undefined;
  if (bytes.readUInt32LE(from + LENGTH_AT) !== end - from - HEADER_BYTES) return undefined;
  return bytes.toString("utf8", from + HEADER_BYTES, end);
}

/** As a checksum is shown: 8 hex digits. */
export function checksumText(crc: number): string {
  return crc.toString(16).padStart(8, "0");
}
