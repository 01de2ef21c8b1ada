import { Buffer } from "node:buffer";
import { MemoryError } from "../../model/errors.ts";
import type { ItemRef } from "../../model/item.ts";
import type { RankedCandidate, RankingPlace } from "../../tiers/keyword.ts";

const FORMAT = 2;
const LENGTH_BYTES = 4;
/** A document's number in 6 bytes, its score as a float in 4; 0: an item of the list. */
const NUMBER_BYTES = 6;
const ENTRY_BYTES: number = NUMBER_BYTES + 4;
/** How long a ranking stands. */
const PINNED_MS = 5 * 60 * 1000;
const CURSOR_CHARS_MAX = 1024 * 1024;

/**
 * A ranking as it was when its first page was made. It travels with the caller: any server can go on
 * with it, and what nobody asks for costs nothing.
 */
export interface PinnedRanking {
  /** By the server's wall clock. */
  readonly atMs: number;
  /** Shown ones too, if more may come after the last. */
  readonly entries: readonly RankedCandidate[];
  /** How many of them were shown. */
  readonly used: number;
  /** The ranking was not known to its end. */
  readonly more: boolean;
  /** Of the rankings before this one the last document, when there were any. */
  readonly below?: RankingPlace["below"];
}

/** What comes after all of its entries. */
export function placeAfter({ entries, below }: PinnedRanking): RankingPlace {
  const seen = entries.map((entry) => ("document" in entry ? entry.document : entry.item));
  return { seen, ...(below === undefined ? {} : { below }) };
}

/** `hash`: of what was asked for. */
export function encodeRanking(ranking: PinnedRanking, hash: string): string {
  const { entries, atMs, used, more, below } = ranking;
  const items: ItemRef[] = [];
  const packed = Buffer.alloc(entries.length * ENTRY_BYTES);
  for (const [place, entry] of entries.entries()) {
    const number = "document" in entry ? entry.document : 0;
    if ("item" in entry) items.push(entry.item);
    packed.writeUIntBE(number, place * ENTRY_BYTES, NUMBER_BYTES);
    packed.writeFloatBE(entry.score, place * ENTRY_BYTES + NUMBER_BYTES);
  }
  const place = below === undefined ? null : [below.document, below.score];
  const listed = items.map(({ namespace, key }) => [namespace, key]);
  const head = Buffer.from(JSON.stringify([FORMAT, hash, atMs, used, more, place, listed]));
  const length = Buffer.alloc(LENGTH_BYTES);
  length.writeUInt32BE(head.length);
  return Buffer.concat([length, head, packed]).toString("base64url");
}

/** INVALID_CURSOR when it is of another request; CURSOR_EXPIRED when it is too old. */
export function decodeRanking(cursor: string, hash: string, nowMs: number): PinnedRanking {
  const ranking = readRanking(cursor, hash);
  if (ranking.atMs + PINNED_MS < nowMs)
    throw new MemoryError(
      "CURSOR_EXPIRED",
      `cursor: a ranking is kept for ${PINNED_MS / 60_000} minutes; search again without it`,
      { field: "cursor" },
    );
  return ranking;
}

function readRanking(cursor: string, hash: string): PinnedRanking {
  if (cursor.length > CURSOR_CHARS_MAX) throw invalid("is none of ours or of another release");
  const bytes = Buffer.from(cursor, "base64url");
  const headEnd = LENGTH_BYTES + (bytes.length < LENGTH_BYTES ? 0 : bytes.readUInt32BE(0));
  const [format, boundTo, atMs, used, more, place, listed] = fieldsOf(bytes, headEnd);
  const packed = bytes.subarray(headEnd);
  const items = refsOf(listed);
  const below = placeOf(place);
  if (
    format !== FORMAT ||
    typeof atMs !== "number" ||
    typeof used !== "number" ||
    typeof more !== "boolean" ||
    items === undefined ||
    below === undefined ||
    packed.length % ENTRY_BYTES !== 0
  )
    throw invalid("is none of ours or of another release");
  if (boundTo !== hash) throw invalid("belongs to another request");
  const entries = entriesOf(packed, items);
  if (!Number.isInteger(used) || used < 0 || used > entries.length)
    throw invalid("is none of ours or of another release");
  return { atMs, used, more, entries, ...(below === null ? {} : { below }) };
}

function fieldsOf(bytes: Buffer, headEnd: number): readonly unknown[] {
  try {
    const fields: unknown = JSON.parse(bytes.toString("utf8", LENGTH_BYTES, headEnd));
    return Array.isArray(fields) ? fields : [];
  } catch {
    // Not JSON: none of ours, and the caller is told so.
    return [];
  }
}

function refsOf(listed: unknown): readonly ItemRef[] | undefined {
  if (!Array.isArray(listed)) return undefined;
  const refs = listed.map((pair: unknown): ItemRef | undefined => {
    const [namespace, key] = Array.isArray(pair) ? (pair as readonly unknown[]) : [];
    return typeof namespace === "string" && typeof key === "string"
      ? { namespace, key }
      : undefined;
  });
  return refs.every((ref) => ref !== undefined) ? refs : undefined;
}

/** null: there is none; undefined: it is none. */
function placeOf(place: unknown): RankingPlace["below"] | null {
  if (place === null) return null;
  const [document, score] = Array.isArray(place) ? (place as readonly unknown[]) : [];
  return typeof document === "number" && typeof score === "number"
    ? { document, score }
    : undefined;
}

function entriesOf(packed: Buffer, items: readonly ItemRef[]): readonly RankedCandidate[] {
  const entries: RankedCandidate[] = [];
  let listed = 0;
  for (let at = 0; at < packed.length; at += ENTRY_BYTES) {
    const document = packed.readUIntBE(at, NUMBER_BYTES);
    const score = packed.readFloatBE(at + NUMBER_BYTES);
    const item = document === 0 ? items[listed++] : undefined;
    if (item !== undefined) entries.push({ item, score });
    else if (document > 0) entries.push({ document, score });
    else throw invalid("is none of ours or of another release");
  }
  return entries;
}

function invalid(fault: string): MemoryError {
  return new MemoryError(
    "INVALID_CURSOR",
    `cursor: ${fault}; give back nextCursor unchanged with the same request, or start again without one`,
    { field: "cursor" },
  );
}
