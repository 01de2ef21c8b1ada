import { Buffer } from "node:buffer";
import { crc32, deflateRawSync, inflateRawSync } from "node:zlib";
import { MemoryError } from "../model/errors.ts";
import type { ItemRef, JsonValue } from "../model/item.ts";
import { seal, splitSealed, unseal } from "./cipher.ts";
import {
  CHECK_AT,
  FLAGS_KNOWN,
  FLAG_DEFLATED,
  FLAG_ENCRYPTED,
  FORMAT_VERSION,
  HEADER_BYTES,
  LENGTH_AT,
  TEXT_CRC_BYTES,
  readU32,
  writeHeader,
  writeU32,
} from "./format.ts";
import { KeyRing } from "./key-ring.ts";
import { checksumText } from "./sound-text.ts";

export interface CodecOptions {
  /** Each `id:base64`; the first writes, all read. None: bodies are not encrypted. */
  readonly encryptionKeys: readonly string[];
  /** Text longer than this is deflated, if that saves enough. */
  readonly compressAboveBytes?: number;
  /** A body that claims more text than this is corrupt: nothing is inflated beyond it. */
  readonly textBytesMax?: number;
}

const COMPRESS_ABOVE_BYTES = 2048;
const TEXT_BYTES_MAX = 64 * 1024 * 1024;
/** Deflate must bring the text down to this share, or reading would pay for nothing. */
const COMPRESSED_SHARE_MAX = 0.9;
/** Level 1 of deflate: of those tried (levels 1 and 6, zstd -1 to 3, on 2 to 55 KB of JSON) it reads fastest, 8 µs for 6 KB where zstd takes 15, and writes nearly as fast. */
const DEFLATE_LEVEL = 1;

/**
 * JSON values to stored bodies and back. A body is either given back as exactly the value that was
 * encoded for that key, or refused: every read verifies checksum, length and, when encrypted, the
 * authentication tag. The layout is in format.ts.
 */
export class Codec {
  readonly #compressAboveBytes: number;
  readonly #textBytesMax: number;
  #keys: KeyRing;

  constructor(options: CodecOptions) {
    this.#keys = new KeyRing(options.encryptionKeys);
    this.#compressAboveBytes = options.compressAboveBytes ?? COMPRESS_ABOVE_BYTES;
    this.#textBytesMax = options.textBytesMax ?? TEXT_BYTES_MAX;
  }

  /** Takes other keys from now on, for rotation without a restart. A bad list changes nothing. */
  useKeys(encryptionKeys: readonly string[]): void {
    this.#keys = new KeyRing(encryptionKeys);
  }

  /** Names the key of `blind`; undefined where nothing is encrypted. */
  get blindingKeyId(): string | undefined {
    return this.#keys.writer?.id;
  }

  /**
   * What stands for a text where equal texts must be found without being read: equal under one key,
   * and telling nothing to who has not the key. The text itself where nothing is encrypted.
   */
  blind(text: string): string {
    return this.#keys.blind(text);
  }

  /** The value must have passed `checkValue`. */
  encode(value: JsonValue, ref: ItemRef): Buffer {
    const json = JSON.stringify(value);
    const textBytes = Buffer.byteLength(json);
    // Not from Node's pool: a small body kept for long would hold the whole pool block.
    const body = Buffer.allocUnsafeSlow(HEADER_BYTES + textBytes);
    body.write(json, HEADER_BYTES);
    const text = body.subarray(HEADER_BYTES);
    const crc = crc32(text);
    const deflated = this.#deflate(text);
    if (deflated === undefined && this.#keys.writer === undefined) {
      writeHeader(body, 0, textBytes);
      writeU32(body, CHECK_AT, crc);
      return body;
    }
    return this.#pack({
      textBytes,
      crc,
      payload: deflated ?? text,
      ref,
      isDeflated: deflated !== undefined,
    });
  }

  /** CORRUPT_VALUE or UNKNOWN_ENCRYPTION_KEY rather than a value that was not encoded here. */
  decode(body: Uint8Array, ref: ItemRef): JsonValue {
    return this.parse(this.json(body, ref).toString("utf8"), ref);
  }

  /** The value of a text that was verified; CORRUPT_VALUE when it is no JSON. */
  parse(text: string, ref: ItemRef): JsonValue {
    try {
      return JSON.parse(text) as JsonValue;
    } catch (cause) {
      throw corrupt("its text is not JSON", ref, cause);
    }
  }

  /** The JSON text (UTF-8), verified. May be a view of the body. */
  json(body: Uint8Array, ref: ItemRef): Buffer {
    const flags = checkHeader(body, ref);
    const textBytes = readU32(body, LENGTH_AT);
    if (textBytes > this.#textBytesMax)
      throw corrupt(`it claims ${textBytes} bytes of text, over ${this.#textBytesMax}`, ref);
    const bytes = asBuffer(body);
    if (flags !== 0) return this.#unpack(bytes, { flags, textBytes, ref });
    const text = bytes.subarray(HEADER_BYTES);
    return verified(text, { textBytes, crc: readU32(body, CHECK_AT), ref });
  }

  /** Bytes of the JSON text. */
  valueBytes(body: Uint8Array): number {
    checkHeader(body, undefined);
    return readU32(body, LENGTH_AT);
  }

  /**
   * CRC-32 of the JSON text, 8 hex digits. `ref` is needed for an encrypted body, whose checksum is
   * not readable without opening it.
   */
  checksum(body: Uint8Array, ref?: ItemRef): string {
    const flags = checkHeader(body, ref);
    if ((flags & FLAG_ENCRYPTED) === 0)
      return checksumText(readU32(body, flags === 0 ? CHECK_AT : HEADER_BYTES));
    if (ref === undefined)
      throw new MemoryError("INVALID_ARGUMENT", "checksum of an encrypted body: give its address");
    return checksumText(crc32(this.json(body, ref)));
  }

  #deflate(text: Buffer): Buffer | undefined {
    if (text.length <= this.#compressAboveBytes) return undefined;
    const deflated = deflateRawSync(text, { level: DEFLATE_LEVEL });
    return deflated.length <= text.length * COMPRESSED_SHARE_MAX ? deflated : undefined;
  }

  #pack(parts: {
    readonly textBytes: number;
    readonly crc: number;
    readonly payload: Buffer;
    readonly ref: ItemRef;
    readonly isDeflated: boolean;
  }): Buffer {
    const key = this.#keys.writer;
    const header = Buffer.alloc(HEADER_BYTES);
    const flags = (parts.isDeflated ? FLAG_DEFLATED : 0) | (key === undefined ? 0 : FLAG_ENCRYPTED);
    writeHeader(header, flags, parts.textBytes);
    const plain = Buffer.alloc(TEXT_CRC_BYTES + parts.payload.length);
    writeU32(plain, 0, parts.crc);
    parts.payload.copy(plain, TEXT_CRC_BYTES);
    const rest = key === undefined ? plain : seal(key, { header, plain, ref: parts.ref });
    const body = Buffer.allocUnsafeSlow(HEADER_BYTES + rest.length);
    header.copy(body);
    rest.copy(body, HEADER_BYTES);
    writeU32(body, CHECK_AT, packedCheck(body));
    return body;
  }

  #unpack(body: Buffer, about: PackedBody): Buffer {
    const { ref, textBytes } = about;
    if (packedCheck(body) !== readU32(body, CHECK_AT))
      throw corrupt("its checksum does not match", ref);
    const isEncrypted = (about.flags & FLAG_ENCRYPTED) !== 0;
    const rest = body.subarray(HEADER_BYTES);
    const plain = isEncrypted ? this.#decrypt(body, rest, ref) : rest;
    if (plain.length < TEXT_CRC_BYTES) throw corrupt("it is cut short", ref);
    const payload = plain.subarray(TEXT_CRC_BYTES);
    const text = (about.flags & FLAG_DEFLATED) === 0 ? payload : inflate(payload, about);
    return verified(text, { textBytes, crc: readU32(plain, 0), ref });
  }

  #decrypt(body: Buffer, sealed: Buffer, ref: ItemRef): Buffer {
    const parts = splitSealed(sealed);
    if (parts === undefined) throw corrupt("it is cut short", ref);
    const key = this.#keys.find(parts.keyId);
    if (key === undefined)
      throw new MemoryError(
        "UNKNOWN_ENCRYPTION_KEY",
        `${subject(ref)} was encrypted with key ${JSON.stringify(parts.keyId)}, which is not configured; add it after the first of the encryption keys`,
      );
    try {
      return unseal(key, { header: body, ref, ...parts });
    } catch (cause) {
      throw corrupt("it is not what was encrypted for this key", ref, cause);
    }
  }
}

interface PackedBody {
  readonly flags: number;
  readonly textBytes: number;
  readonly ref: ItemRef;
}

/** Returns the flags of a body that this release can read. */
function checkHeader(body: Uint8Array, ref: ItemRef | undefined): number {
  if (body.length < HEADER_BYTES) throw corrupt("it is cut short", ref);
  const version = body[0];
  if (version !== FORMAT_VERSION)
    throw corrupt(`it has format ${version}, this release reads format ${FORMAT_VERSION}`, ref);
  const flags = body[1] ?? 0;
  if ((flags & ~FLAGS_KNOWN) !== 0) throw corrupt(`it has unknown flags ${flags}`, ref);
  return flags;
}

/** Covers everything but the check itself. */
function packedCheck(body: Buffer): number {
  return crc32(body.subarray(HEADER_BYTES), crc32(body.subarray(0, CHECK_AT)));
}

/** Inflates to exactly the recorded length; one byte more and zlib stops. */
function inflate(deflated: Buffer, { textBytes, ref }: PackedBody): Buffer {
  try {
    return inflateRawSync(deflated, {
      maxOutputLength: Math.max(textBytes, 1),
      chunkSize: Math.max(textBytes + 1, CHUNK_BYTES_MIN),
    });
  } catch (cause) {
    throw corrupt("it does not inflate to its recorded length", ref, cause);
  }
}

/** zlib refuses smaller chunks. */
const CHUNK_BYTES_MIN = 64;

function verified(
  text: Buffer,
  expected: { readonly textBytes: number; readonly crc: number; readonly ref: ItemRef },
): Buffer {
  const { textBytes, crc, ref } = expected;
  if (text.length !== textBytes)
    throw corrupt(`${text.length} bytes of text where ${textBytes} were written`, ref);
  if (crc32(text) !== crc) throw corrupt("its checksum does not match", ref);
  return text;
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes)
    ? bytes
    : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function subject(ref: ItemRef | undefined): string {
  return ref === undefined ? "a stored value" : `the stored value of ${JSON.stringify(ref.key)}`;
}

function corrupt(fault: string, ref: ItemRef | undefined, cause?: unknown): MemoryError {
  return new MemoryError(
    "CORRUPT_VALUE",
    `${subject(ref)} is corrupt: ${fault}; write it again or restore it from a backup`,
    cause === undefined ? {} : { cause },
  );
}
