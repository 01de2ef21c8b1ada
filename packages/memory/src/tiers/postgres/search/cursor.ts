import { createHash } from "node:crypto";
import { MemoryError } from "../../../model/errors.ts";
import type { ItemRef } from "../../../model/item.ts";

const FORMAT = 1;
const HASH_LENGTH = 16;

/** Where a search goes on. */
export interface Position {
  readonly after: ItemRef;
  /** An index was found to give too many candidates: the rest is walked in key order. */
  readonly walks: boolean;
}

/** Binds a cursor to what was asked for: one of another request must not be taken. */
export function requestHash(request: unknown): string {
  return createHash("sha256")
    .update(JSON.stringify(request))
    .digest("base64url")
    .slice(0, HASH_LENGTH);
}

export function encodeCursor(position: Position, hash: string): string {
  const { after, walks } = position;
  const fields = [FORMAT, hash, after.namespace, after.key, walks];
  return Buffer.from(JSON.stringify(fields)).toString("base64url");
}

export function decodeCursor(cursor: string, hash: string): Position {
  const [format, boundTo, namespace, key, walks] = fieldsOf(cursor);
  if (
    format !== FORMAT ||
    typeof namespace !== "string" ||
    typeof key !== "string" ||
    typeof walks !== "boolean"
  )
    throw invalid("is none of ours or of another release");
  if (boundTo !== hash) throw invalid("belongs to another request");
  return { after: { namespace, key }, walks };
}

function fieldsOf(cursor: string): readonly unknown[] {
  try {
    const fields: unknown = JSON.parse(Buffer.from(cursor, "base64url").toString());
    return Array.isArray(fields) ? fields : [];
  } catch {
    // Not JSON: none of ours, and the caller is told so below.
    return [];
  }
}

function invalid(fault: string): MemoryError {
  return new MemoryError(
    "INVALID_CURSOR",
    `cursor: ${fault}; give back nextCursor unchanged with the same request, or start again without one`,
    { field: "cursor" },
  );
}
