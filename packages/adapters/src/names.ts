import { createHash } from "node:crypto";
import { DEFAULT_LIMITS, MemoryError } from "@cherry-ai/memory";

/**
 * Other libraries take any string for a key. Here every string becomes a key, or a namespace
 * segment, that the memory accepts, and no two become the same one:
 *
 * - most stand for themselves;
 * - what a memory refuses (NUL, lone surrogates, "/" in a segment, exactly "." or "..") and "%"
 *   itself is written as "%" and the four hexadecimal digits of its UTF-16 unit;
 * - the empty string is "%";
 * - what is too long is its beginning, "%~" and its SHA-256. The escapes above never give "%~".
 */
const ESCAPED = /%|\u0000|\p{Surrogate}/gu;
const ESCAPED_IN_SEGMENT = /%|\u0000|\/|\p{Surrogate}/gu;
const ESCAPE = /%([0-9a-f]{4})/g;
const EMPTY = "%";
const HASHED = "%~";
const HASH_BYTES = HASHED.length + 43;

const SEGMENT_BYTES_MAX = 192;
/** Longer keys are refused: the text of a hashed one is kept in the item's metadata. */
const KEY_BYTES_MAX = 4096;
const METADATA_NAME = "originalKey";

/** Where a key is stored: under which key of the memory, with which metadata. */
export interface StoredKey {
  readonly key: string;
  /** Only of a key that is too long to be read back from its stored form. */
  readonly metadata?: { readonly [METADATA_NAME]: string };
}

/** The key of the memory that stands for a key of another library. Throws INVALID_KEY. */
export function storedKey(given: string): StoredKey {
  const escaped = escape(given, ESCAPED);
  const bytes = Buffer.byteLength(escaped);
  if (bytes <= DEFAULT_LIMITS.keyBytes) return { key: escaped };
  if (bytes > KEY_BYTES_MAX)
    throw new MemoryError(
      "INVALID_KEY",
      `key: ${bytes} bytes when escaped, at most ${KEY_BYTES_MAX} allowed; use a hash of it`,
      { field: "key" },
    );
  return {
    key: hashed(escaped, DEFAULT_LIMITS.keyBytes),
    metadata: { [METADATA_NAME]: escaped },
  };
}

/** The other library's key of a stored item: the inverse of `storedKey`. */
export function givenKey(stored: {
  readonly key: string;
  readonly metadata?: { readonly [name: string]: unknown };
}): string {
  const original = stored.metadata?.[METADATA_NAME];
  return unescape(typeof original === "string" ? original : stored.key);
}

/** The namespace segment that stands for a name of another library. */
export function storedSegment(given: string): string {
  const escaped = escape(given, ESCAPED_IN_SEGMENT);
  return Buffer.byteLength(escaped) <= SEGMENT_BYTES_MAX
    ? escaped
    : hashed(escaped, SEGMENT_BYTES_MAX);
}

function escape(given: string, escaped: RegExp): string {
  if (given === "") return EMPTY;
  if (given === "." || given === "..") return given.replaceAll(".", unitEscape);
  return given.replace(escaped, unitEscape);
}

function unitEscape(unit: string): string {
  return `%${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

function unescape(escaped: string): string {
  if (escaped === EMPTY) return "";
  return escaped.replace(ESCAPE, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 16)),
  );
}

/** The beginning stays, so that a person and a pattern still find it. */
function hashed(escaped: string, bytesMax: number): string {
  // encodeInto stops before a character that does not fit whole.
  const { read } = new TextEncoder().encodeInto(escaped, new Uint8Array(bytesMax - HASH_BYTES));
  return escaped.slice(0, read) + HASHED + createHash("sha256").update(escaped).digest("base64url");
}
