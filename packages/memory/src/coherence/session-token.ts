import { crc32 } from "node:zlib";
import { MemoryError } from "../model/errors.ts";
import { boundHorizon } from "./horizon.ts";
import type { Horizon } from "./horizon.ts";

/** Demands for single items that one token holds. */
export const ENTRIES_MAX = 64;
/** Characters of a token. Longer text is no token. */
export const TOKEN_CHARS_MAX = 1024;
const BYTES_MAX = 765;
const OPEN_MAX = 16;

const FORMAT = 1;
const HASH_BYTES = 6;
const CHECK_BYTES = 4;
const NO_FLOOR = 0;
const HORIZON_FLOOR = 1;
const EVERYTHING_FLOOR = 2;
const BASE64URL = /^[\w-]+$/u;

/** Absent when it was read: no copy is new enough, only the authority can tell. */
export const ABSENT: number = Number.POSITIVE_INFINITY;

/** What a session has seen, and so what it may be shown from now on. */
export interface Demands {
  /** 48 bits of the epoch in which the rest was seen. */
  readonly epoch: number;
  /** All of this must be visible; "everything" is all that was committed before the token comes back. */
  readonly floor: Horizon | "everything" | undefined;
  /** The least version, or ABSENT, by the hash of the item. */
  readonly versions: ReadonlyMap<number, number>;
}

/**
 * The text of a token, or undefined when the demands do not fit into one.
 *
 * Base64url of: format, epoch (6 bytes), kind of floor, [end, count of open places, each as distance
 * from `end`], count of items, each hash (6 bytes) and version + 1 (0: absent), CRC-32 of all before.
 * Whatever a later format has inside, its first byte stays the format and its last four the CRC.
 */
export function encodeSession({ epoch, floor, versions }: Demands): string | undefined {
  if (versions.size > ENTRIES_MAX) return undefined;
  const writer = new Writer();
  writer.byte(FORMAT);
  writer.hash(epoch);
  if (floor === "everything") writer.byte(EVERYTHING_FLOOR);
  else if (floor === undefined) writer.byte(NO_FLOOR);
  else {
    const { end, open } = boundHorizon(floor, OPEN_MAX);
    writer.byte(HORIZON_FLOOR);
    writer.number(end);
    writer.byte(open.length);
    for (const place of open) writer.number(end - place);
  }
  writer.byte(versions.size);
  for (const [hash, version] of versions) {
    writer.hash(hash);
    writer.number(version === ABSENT ? 0 : version + 1);
  }
  return writer.finish();
}

/** Undefined: whole, but of a format that this release does not know. */
export function decodeSession(text: unknown): Demands | undefined {
  const reader = new Reader(bytesOf(text));
  if (reader.byte() !== FORMAT) return undefined;
  const epoch = reader.hash();
  const floor = readFloor(reader);
  const versions = new Map<number, number>();
  for (let left = reader.count(ENTRIES_MAX); left > 0; left -= 1) {
    const hash = reader.hash();
    const version = reader.number();
    versions.set(hash, version === 0 ? ABSENT : version - 1);
  }
  reader.end();
  return { epoch, floor, versions };
}

function readFloor(reader: Reader): Demands["floor"] {
  const kind = reader.byte();
  if (kind === NO_FLOOR) return undefined;
  if (kind === EVERYTHING_FLOOR) return "everything";
  if (kind !== HORIZON_FLOOR) throw damaged("it says what no token says");
  const end = reader.number();
  const open: number[] = [];
  for (let left = reader.count(OPEN_MAX); left > 0; left -= 1) open.push(end - reader.number());
  if (open.some((place) => place < 0 || place >= end)) throw damaged("it says what no token says");
  return { end, open };
}

function bytesOf(text: unknown): Buffer {
  if (typeof text !== "string") throw damaged("it is no text");
  if (text.length > TOKEN_CHARS_MAX) throw damaged(`it is longer than ${TOKEN_CHARS_MAX}`);
  const bytes = Buffer.from(text, "base64url");
  const isWhole = BASE64URL.test(text) && bytes.toString("base64url") === text;
  if (!isWhole || bytes.length <= CHECK_BYTES) throw damaged("it is cut, changed or no token");
  const checkAt = bytes.length - CHECK_BYTES;
  if (crc32(bytes.subarray(0, checkAt)) !== bytes.readUInt32LE(checkAt))
    throw damaged("its checksum does not match");
  return bytes.subarray(0, checkAt);
}

function damaged(what: string): MemoryError {
  return new MemoryError(
    "INVALID_SESSION",
    `session: expected a token as an earlier call returned it, but ${what}; leave it out to begin a new session`,
    { field: "session" },
  );
}

/** Writes until it is full, and then only remembers that it was. */
class Writer {
  readonly #bytes = Buffer.allocUnsafe(BYTES_MAX);
  #at = 0;
  #isOver = false;

  byte(value: number): void {
    if (this.#at < BYTES_MAX) this.#bytes[this.#at++] = value;
    else this.#isOver = true;
  }

  hash(value: number): void {
    if (this.#at + HASH_BYTES <= BYTES_MAX)
      this.#at = this.#bytes.writeUIntLE(value, this.#at, HASH_BYTES);
    else this.#isOver = true;
  }

  /** Seven bits a byte, the lowest first. Divides, because bit operations end at 32 bits. */
  number(value: number): void {
    let rest = value;
    for (; rest >= 128; rest = Math.floor(rest / 128)) this.byte((rest % 128) + 128);
    this.byte(rest);
  }

  finish(): string | undefined {
    if (this.#isOver || this.#at + CHECK_BYTES > BYTES_MAX) return undefined;
    const check = crc32(this.#bytes.subarray(0, this.#at));
    return this.#bytes.toString("base64url", 0, this.#bytes.writeUInt32LE(check, this.#at));
  }
}

/** Reads what has the right checksum; what still cannot be is no token of ours. */
class Reader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  byte(): number {
    const value = this.#bytes[this.#at++];
    if (value === undefined) throw damaged("it ends too early");
    return value;
  }

  hash(): number {
    if (this.#at + HASH_BYTES > this.#bytes.length) throw damaged("it ends too early");
    const value = this.#bytes.readUIntLE(this.#at, HASH_BYTES);
    this.#at += HASH_BYTES;
    return value;
  }

  number(): number {
    let value = 0;
    for (let unit = 1; ; unit *= 128) {
      const byte = this.byte();
      value += (byte % 128) * unit;
      if (!Number.isSafeInteger(value)) throw damaged("it says what no token says");
      if (byte < 128) return value;
    }
  }

  count(max: number): number {
    const count = this.byte();
    if (count > max) throw damaged("it says what no token says");
    return count;
  }

  end(): void {
    if (this.#at !== this.#bytes.length) throw damaged("it does not end where it should");
  }
}
