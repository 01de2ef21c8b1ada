const POLYNOMIAL = 0xedb88320;

const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit += 1)
    value = (value & 1) === 1 ? (value >>> 1) ^ POLYNOMIAL : value >>> 1;
  return value;
});

/** Where a check is in its course. */
export const CHECK_START = 0xffff_ffff;

/**
 * CRC-32 over a few dozen bytes where they lie. zlib's own is faster by the byte, but each call of it
 * needs a view and a way out of JavaScript, which cost several times what is checked here.
 */
export function checkBytes(check: number, bytes: Uint8Array, from: number, end: number): number {
  let value = check;
  for (let at = from; at < end; at += 1)
    value = (value >>> 8) ^ (TABLE[(value ^ (bytes[at] ?? 0)) & 0xff] ?? 0);
  return value;
}

/** Over the UTF-16 units of a text, low byte first. */
export function checkText(check: number, text: string): number {
  let value = check;
  for (let at = 0; at < text.length; at += 1) {
    const unit = text.charCodeAt(at);
    value = (value >>> 8) ^ (TABLE[(value ^ unit) & 0xff] ?? 0);
    // Most text is Latin, and a zero byte for each letter would say nothing.
    if (unit > 0xff) value = (value >>> 8) ^ (TABLE[(value ^ (unit >>> 8)) & 0xff] ?? 0);
  }
  return value;
}

export function checkEnd(check: number): number {
  return ~check >>> 0;
}
