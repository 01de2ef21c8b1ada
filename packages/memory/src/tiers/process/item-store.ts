import { Buffer } from "node:buffer";
import { TEXT_AT, TEXT_CRC_AT, isSoundText } from "../../codec/sound-text.ts";
import type { ItemRecord } from "../../model/item.ts";
import { attributesText, readAttributes } from "../../model/attributes.ts";
import type { TextRecord, ValueText } from "../tier.ts";
import { BLOCK_BYTES, BLOCK_COST_BYTES, BlockArena } from "./block-arena.ts";
import { BodyPool } from "./body-pool.ts";
import type { KeyMatcher } from "./hash-index.ts";

/**
 * An item in the arena: the header below in its first block, then key, metadata and tags (as
 * `attributesText` writes them), body. Places count f64 and u32 from the block's start.
 */
const VERSION_F64 = 0;
const CREATED_F64 = 1;
const UPDATED_F64 = 2;
/** NaN = never expires. */
const EXPIRES_F64 = 3;
const DEADLINE_F64 = 4;
const NAMESPACE_U32 = 10;
/** UTF-16 units of the key × 2, + 1 when each takes two bytes. */
const KEY_U32 = 11;
const EXTRA_U32 = 12;
/** Bytes of the body × 2, + 1 when it was sound as it came. */
const BODY_U32 = 13;
const HEADER_BYTES = 56;

const LATIN1_MAX = 0xff;
/** Marks the head of an empty slot; the rest of it is the next empty one. Blocks have lower numbers. */
const FREE = 0x8000_0000;
const NO_SLOT = 0x7fff_ffff;
/** Head block and hash. */
const SLOT_BYTES = 8;

/** A record made ready to be stored. */
export interface PackedItem {
  readonly key: Buffer;
  readonly keyWord: number;
  readonly extra: Buffer;
  readonly bodyWord: number;
  readonly blocks: number;
}

/** What an item of this many blocks takes: blocks, links, head, hash. */
export function storedBytes(blocks: number): number {
  return blocks * BLOCK_COST_BYTES + SLOT_BYTES;
}

/** Items by slot. No object per item: 1 KB items take 1.15 times their keys and bodies. */
export class ItemStore implements KeyMatcher {
  /** Hash of each filled slot. */
  readonly hashes: Uint32Array;
  readonly #heads: Uint32Array;
  readonly #arena: BlockArena;
  readonly #pool = new BodyPool();
  #freeSlot = NO_SLOT;
  #slotsUsed = 0;

  constructor(slotsMax: number, blocksMax: number) {
    this.hashes = new Uint32Array(slotsMax);
    this.#heads = new Uint32Array(slotsMax);
    this.#arena = new BlockArena(blocksMax);
  }

  /** Slots at and above it were never filled. */
  get slotsUsed(): number {
    return this.#slotsUsed;
  }

  pack(record: ItemRecord): PackedItem {
    const isWide = hasWideUnit(record.key);
    const key = Buffer.from(record.key, isWide ? "utf16le" : "latin1");
    const extra = Buffer.from(attributesText(record));
    const bytes = HEADER_BYTES + key.length + extra.length + record.body.length;
    const keyWord = record.key.length * 2 + (isWide ? 1 : 0);
    const bodyWord = record.body.length * 2 + (isSoundText(record.body) ? 1 : 0);
    return { key, keyWord, extra, bodyWord, blocks: Math.ceil(bytes / BLOCK_BYTES) };
  }

  /** The slot it went to. There must be room for it. */
  add(
    record: ItemRecord,
    packed: PackedItem,
    at: { readonly namespaceId: number; readonly hash: number },
  ): number {
    const arena = this.#arena;
    const head = arena.allocate(packed.blocks);
    arena.setDouble(head, VERSION_F64, record.version);
    arena.setDouble(head, CREATED_F64, record.createdAtMs);
    arena.setDouble(head, UPDATED_F64, record.updatedAtMs);
    arena.setDouble(head, EXPIRES_F64, record.expiresAtMs ?? Number.NaN);
    arena.setDouble(head, DEADLINE_F64, record.deadlineMs);
    arena.setWord(head, NAMESPACE_U32, at.namespaceId);
    arena.setWord(head, KEY_U32, packed.keyWord);
    arena.setWord(head, EXTRA_U32, packed.extra.length);
    arena.setWord(head, BODY_U32, packed.bodyWord);
    const extraAt = HEADER_BYTES + packed.key.length;
    arena.write(head, HEADER_BYTES, packed.key);
    arena.write(head, extraAt, packed.extra);
    arena.write(head, extraAt + packed.extra.length, record.body);
    const slot = this.#takeSlot();
    this.#heads[slot] = head;
    this.hashes[slot] = at.hash;
    return slot;
  }

  remove(slot: number): void {
    this.#arena.free(this.#head(slot));
    this.#heads[slot] = FREE | this.#freeSlot;
    this.#freeSlot = slot;
  }

  clear(): void {
    this.#arena.clear();
    this.#freeSlot = NO_SLOT;
    this.#slotsUsed = 0;
  }

  matches(slot: number, namespaceId: number, key: string): boolean {
    const arena = this.#arena;
    const head = this.#head(slot);
    const keyWord = arena.word(head, KEY_U32);
    if (keyWord >>> 1 !== key.length || arena.word(head, NAMESPACE_U32) !== namespaceId)
      return false;
    return arena.holdsText(head, HEADER_BYTES, key, 1 + (keyWord & 1));
  }

  isFree(slot: number): boolean {
    return this.#head(slot) >= FREE;
  }

  version(slot: number): number {
    return this.#arena.double(this.#head(slot), VERSION_F64);
  }

  deadlineMs(slot: number): number {
    return this.#arena.double(this.#head(slot), DEADLINE_F64);
  }

  namespaceId(slot: number): number {
    return this.#arena.word(this.#head(slot), NAMESPACE_U32);
  }

  /** As `storedBytes` of its blocks. */
  bytes(slot: number): number {
    const head = this.#head(slot);
    const extraBytes = this.#arena.word(head, EXTRA_U32);
    const bodyBytes = this.#arena.word(head, BODY_U32) >>> 1;
    const bytes = HEADER_BYTES + this.#keyBytes(head) + extraBytes + bodyBytes;
    return storedBytes(Math.ceil(bytes / BLOCK_BYTES));
  }

  key(slot: number): string {
    const head = this.#head(slot);
    const bytes = Buffer.allocUnsafe(this.#keyBytes(head));
    this.#arena.read(head, HEADER_BYTES, bytes);
    return bytes.toString((this.#arena.word(head, KEY_U32) & 1) === 1 ? "utf16le" : "latin1");
  }

  /** The record with a body of its own. */
  read(slot: number, namespace: string, key: string): ItemRecord {
    const arena = this.#arena;
    const head = this.#head(slot);
    const extraAt = HEADER_BYTES + this.#keyBytes(head);
    const extraBytes = arena.word(head, EXTRA_U32);
    const body = this.#pool.take(arena.word(head, BODY_U32) >>> 1);
    arena.read(head, extraAt + extraBytes, body);
    const expiresAtMs = arena.double(head, EXPIRES_F64);
    const { metadata, tags } = readAttributes(this.#extra(head, extraAt, "utf8"));
    return {
      namespace,
      key,
      version: arena.double(head, VERSION_F64),
      metadata,
      tags,
      createdAtMs: arena.double(head, CREATED_F64),
      updatedAtMs: arena.double(head, UPDATED_F64),
      expiresAtMs: Number.isNaN(expiresAtMs) ? undefined : expiresAtMs,
      deadlineMs: arena.double(head, DEADLINE_F64),
      body,
    };
  }

  isSound(slot: number): boolean {
    return (this.#arena.word(this.#head(slot), BODY_U32) & 1) === 1;
  }

  /** The same of a sound item as texts, without copying the body. */
  readText(
    slot: number,
    ref: { readonly namespace: string; readonly key: string },
    encoding: "utf8" | "latin1",
  ): TextRecord {
    const arena = this.#arena;
    const head = this.#head(slot);
    const extraAt = HEADER_BYTES + this.#keyBytes(head);
    const bodyAt = extraAt + arena.word(head, EXTRA_U32);
    const sizeBytes = (arena.word(head, BODY_U32) >>> 1) - TEXT_AT;
    const expiresAtMs = arena.double(head, EXPIRES_F64);
    return {
      namespace: ref.namespace,
      key: ref.key,
      version: arena.double(head, VERSION_F64),
      createdAtMs: arena.double(head, CREATED_F64),
      updatedAtMs: arena.double(head, UPDATED_F64),
      expiresAtMs: Number.isNaN(expiresAtMs) ? undefined : expiresAtMs,
      deadlineMs: arena.double(head, DEADLINE_F64),
      attributes: this.#extra(head, extraAt, encoding),
      text: arena.text(head, bodyAt + TEXT_AT, sizeBytes, encoding),
      sizeBytes,
      crc: arena.wordAt(head, bodyAt + TEXT_CRC_AT),
    };
  }

  readValueText(slot: number): ValueText {
    const arena = this.#arena;
    const head = this.#head(slot);
    const bodyAt = HEADER_BYTES + this.#keyBytes(head) + arena.word(head, EXTRA_U32);
    const sizeBytes = (arena.word(head, BODY_U32) >>> 1) - TEXT_AT;
    return {
      version: arena.double(head, VERSION_F64),
      text: arena.text(head, bodyAt + TEXT_AT, sizeBytes, "utf8"),
    };
  }

  #extra(head: number, at: number, encoding: "utf8" | "latin1"): string {
    const bytes = this.#arena.word(head, EXTRA_U32);
    return bytes === 0 ? "" : this.#arena.text(head, at, bytes, encoding);
  }

  #keyBytes(head: number): number {
    const keyWord = this.#arena.word(head, KEY_U32);
    return (keyWord >>> 1) * (1 + (keyWord & 1));
  }

  #takeSlot(): number {
    const slot = this.#freeSlot;
    if (slot === NO_SLOT) {
      this.#slotsUsed += 1;
      return this.#slotsUsed - 1;
    }
    this.#freeSlot = this.#head(slot) & ~FREE;
    return slot;
  }

  #head(slot: number): number {
    return this.#heads[slot] ?? FREE;
  }
}

function hasWideUnit(text: string): boolean {
  for (let index = 0; index < text.length; index += 1)
    if (text.charCodeAt(index) > LATIN1_MAX) return true;
  return false;
}
