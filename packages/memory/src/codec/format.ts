/**
 * How a stored value looks, format 1. Numbers are little-endian; the text is UTF-8 JSON.
 *
 *     0   u8   format version
 *     1   u8   flags: 1 = deflated, 2 = encrypted; others must be 0
 *     2   u32  bytes of the text
 *     6   u32  check: plain = CRC-32 of the text; otherwise CRC-32 of bytes 0-5 and of all that follows
 *    10        plain:     text
 *              deflated:  u32 CRC-32 of the text, deflate stream
 *              encrypted: u8 length of the key id, key id, 12 bytes nonce, ciphertext, 16 bytes tag;
 *                         the ciphertext holds u32 CRC-32 of the text, then text or deflate stream
 *
 * Encrypted bodies carry no checksum of the text in clear: it would tell which values are equal.
 */
export const FORMAT_VERSION = 1;
export const FLAG_DEFLATED = 1;
export const FLAG_ENCRYPTED = 2;
export const FLAGS_KNOWN: number = FLAG_DEFLATED | FLAG_ENCRYPTED;

export const LENGTH_AT = 2;
export const CHECK_AT = 6;
export const HEADER_BYTES = 10;
/** The CRC-32 of the text where it is not the check itself. */
export const TEXT_CRC_BYTES = 4;

export function readU32(bytes: Uint8Array, at: number): number {
  const [a = 0, b = 0, c = 0, d = 0] = [bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]];
  return (a | (b << 8) | (c << 16) | (d << 24)) >>> 0;
}

/** The header with its check still zero. */
export function writeHeader(bytes: Uint8Array, flags: number, textBytes: number): void {
  bytes[0] = FORMAT_VERSION;
  bytes[1] = flags;
  writeU32(bytes, LENGTH_AT, textBytes);
}

export function writeU32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value & 0xff;
  bytes[at + 1] = (value >>> 8) & 0xff;
  bytes[at + 2] = (value >>> 16) & 0xff;
  bytes[at + 3] = value >>> 24;
}
