import { MemoryError } from "./errors.ts";
import type { JsonObject, JsonValue } from "./item.ts";
import { JsonCheck, isPlainObject } from "./json-check.ts";
import type { Limits } from "./limits.ts";
import { describe, exceedsBytes, quote, textFault } from "./text.ts";

/**
 * A value as callers give it: any JSON. A Date becomes its ISO 8601 text; -0 becomes 0 when stored;
 * members that JSON never shows (symbols, non-enumerable ones) are left out. Everything else that
 * JSON would lose is refused: undefined, functions, NaN, bigint, Map, typed arrays, class instances.
 * Throws INVALID_VALUE, or VALUE_TOO_LARGE when the text is surely over the limit; whether it is
 * exactly is known after encoding.
 */
export function checkValue(value: unknown, limits: Limits): JsonValue {
  return new JsonCheck({
    code: "INVALID_VALUE",
    field: "value",
    depthMax: limits.jsonDepth,
    bytesMax: limits.valueBytes,
    tooLarge: "VALUE_TOO_LARGE",
    storableText: false,
  }).check(value);
}

/** Metadata as callers give it: a JSON object. Returns a copy of its own. Throws INVALID_METADATA. */
export function checkMetadata(value: unknown, limits: Limits): JsonObject {
  if (!isPlainObject(value))
    throw new MemoryError(
      "INVALID_METADATA",
      `metadata: expected an object, got ${describe(value)}`,
      {
        field: "metadata",
      },
    );
  const checked = new JsonCheck({
    code: "INVALID_METADATA",
    field: "metadata",
    depthMax: limits.jsonDepth,
    bytesMax: limits.metadataBytes,
    tooLarge: "INVALID_METADATA",
    storableText: true,
  }).check(value);
  const json = JSON.stringify(checked);
  const bytes = Buffer.byteLength(json);
  if (bytes > limits.metadataBytes)
    throw new MemoryError(
      "INVALID_METADATA",
      `metadata: ${bytes} bytes of JSON, at most ${limits.metadataBytes} allowed; put the rest in the value`,
      { field: "metadata" },
    );
  // Parsed from an object's text just above, so it is one.
  return JSON.parse(json) as JsonObject;
}

/** Tags as callers give them; duplicates dropped, order kept. Throws INVALID_TAGS. */
export function checkTags(value: unknown, limits: Limits): readonly string[] {
  if (!Array.isArray(value))
    throw new MemoryError(
      "INVALID_TAGS",
      `tags: expected an array of strings, got ${describe(value)}`,
      {
        field: "tags",
      },
    );
  const tags = new Set<string>();
  for (const [index, tag] of (value as readonly unknown[]).entries()) {
    tags.add(checkTag(tag, index, limits));
    if (tags.size > limits.tags)
      throw new MemoryError("INVALID_TAGS", `tags: more than ${limits.tags} different ones`, {
        field: "tags",
      });
  }
  return [...tags];
}

function checkTag(tag: unknown, index: number, limits: Limits): string {
  const field = `tags[${index}]`;
  if (typeof tag !== "string")
    throw new MemoryError("INVALID_TAGS", `${field}: expected a string, got ${describe(tag)}`, {
      field,
    });
  let fault = tag === "" ? "is empty" : textFault(tag);
  if (exceedsBytes(tag, limits.tagBytes)) fault = `is over ${limits.tagBytes} bytes of UTF-8`;
  if (fault === undefined) return tag;
  throw new MemoryError("INVALID_TAGS", `${field}: ${quote(tag)} ${fault}`, { field });
}

/** A time to live in seconds; fractions are allowed. Throws INVALID_TTL. */
export function checkTtl(value: unknown, limits: Limits): number {
  if (typeof value === "number" && value > 0 && value <= limits.ttlSeconds) return value;
  throw new MemoryError(
    "INVALID_TTL",
    `ttlSeconds: expected a number above 0 and at most ${limits.ttlSeconds}, got ${typeof value === "string" ? quote(value) : describe(value)}`,
    { field: "ttlSeconds" },
  );
}

/**
 * Makes a JSON value immutable all the way down. Recursive: for values within the depth limit.
 * A part that is frozen already is taken to be frozen in full.
 */
export function deepFreeze<T>(value: T): T {
  if (typeof value !== "object" || value === null || Object.isFrozen(value)) return value;
  if (Array.isArray(value)) {
    for (const element of value as readonly unknown[]) {
      if (typeof element === "object" && element !== null) deepFreeze(element);
    }
    return Object.freeze(value);
  }
  for (const name in value) {
    const member = value[name];
    if (typeof member === "object" && member !== null) deepFreeze(member);
  }
  return Object.freeze(value);
}
