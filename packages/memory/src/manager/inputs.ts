import { MemoryError } from "../model/errors.ts";
import { checkIndexing } from "../model/indexing.ts";
import type { Indexing } from "../model/indexing.ts";
import type { ItemRef, JsonObject, JsonValue } from "../model/item.ts";
import { checkKey } from "../model/key.ts";
import type { Limits } from "../model/limits.ts";
import { quote } from "../model/text.ts";
import { checkMetadata, checkTags, checkTtl, checkValue } from "../model/value.ts";
import type { Condition } from "../tiers/authority.ts";
import type { SetOptions } from "./memory.ts";
import { NO_METADATA, NO_TAGS } from "./core.ts";
import { refuse } from "./options.ts";

const VERSION = /^(0|[1-9][0-9]{0,15})$/;

/** A version as callers write it. One that cannot exist is no error: it simply matches nothing. */
function parseVersion(text: unknown, field: string): number {
  if (typeof text === "string" && VERSION.test(text)) return Number(text);
  throw new MemoryError(
    "INVALID_ARGUMENT",
    `${field}: expected a version as a decimal string, got ${quote(text)}`,
    { field },
  );
}

/** `ifVersion` as the authority judges it. */
export function parseCondition(ifVersion: string | null | undefined): Condition | undefined {
  if (ifVersion === undefined) return undefined;
  if (ifVersion === null) return "absent";
  if (ifVersion === "*") return "present";
  return parseVersion(ifVersion, "ifVersion");
}

/** How a condition reads in an error message. */
export function describeCondition(condition: Condition): string {
  if (condition === "absent") return "no item";
  return condition === "present" ? "an item" : `version ${condition}`;
}

/** What a set writes, checked in full before anything is changed. */
export interface CheckedSet {
  readonly key: string;
  readonly value: JsonValue;
  readonly metadata: JsonObject;
  readonly tags: readonly string[];
  readonly indexing: Indexing | undefined;
  readonly ttlSeconds: number | undefined;
  readonly condition: Condition | undefined;
}

/** Checks key, value and options of one set against the limits. */
export function checkSet(
  key: unknown,
  value: unknown,
  options: SetOptions,
  limits: Limits,
): CheckedSet {
  const { metadata, tags, ttlSeconds } = options;
  if (ttlSeconds !== undefined) checkTtl(ttlSeconds, limits);
  return {
    key: checkKey(key, limits),
    value: checkValue(value, limits),
    metadata: metadata === undefined ? NO_METADATA : checkMetadata(metadata, limits),
    tags: tags === undefined ? NO_TAGS : checkTags(tags, limits),
    indexing: checkIndexing(options),
    ttlSeconds,
    condition: parseCondition(options.ifVersion),
  };
}

/** The items that a call for many keys is about. */
export function checkRefs(namespace: string, keys: readonly string[], limits: Limits): ItemRef[] {
  if (Array.isArray(keys) && keys.length <= limits.batchOperations)
    return keys.map((key: string) => ({ namespace, key: checkKey(key, limits) }));
  throw new MemoryError(
    "BATCH_TOO_LARGE",
    `keys: expected a list of at most ${limits.batchOperations}`,
    { field: "keys" },
  );
}

/** Refuses a value whose encoded JSON is over the limit. */
export function checkValueBytes(sizeBytes: number, limits: Limits): void {
  if (sizeBytes <= limits.valueBytes) return;
  throw new MemoryError(
    "VALUE_TOO_LARGE",
    `value: ${sizeBytes} bytes of JSON, at most ${limits.valueBytes} allowed; store it in parts`,
    { field: "value" },
  );
}

const ID_BYTES_MAX = 256;

/** The id of a repeatable request. */
export function checkIdempotencyKey(id: unknown): string {
  const bytes = typeof id === "string" ? Buffer.byteLength(id) : 0;
  const storable = typeof id === "string" && id.isWellFormed() && !id.includes("\u0000");
  if (storable && bytes >= 1 && bytes <= ID_BYTES_MAX) return id;
  throw new MemoryError(
    "INVALID_ARGUMENT",
    `idempotencyKey: expected 1 to ${ID_BYTES_MAX} bytes of UTF-8 text without NUL`,
    { field: "idempotencyKey" },
  );
}

/** A position in the change log as callers write it; undefined = its start. */
export function checkPosition(after: unknown): number {
  if (after === undefined) return 0;
  if (typeof after === "string" && VERSION.test(after) && Number.isSafeInteger(Number(after)))
    return Number(after);
  throw new MemoryError("INVALID_CURSOR", "after: expected a position from an earlier page", {
    field: "after",
  });
}

/** How many a page may bring. */
export function checkPageLimit(limit: unknown, limits: Limits): number {
  if (limit === undefined) return limits.pageItemsDefault;
  const { pageItems } = limits;
  if (typeof limit === "number" && Number.isInteger(limit) && limit >= 1 && limit <= pageItems)
    return limit;
  return refuse("limit", `a whole number from 1 to ${pageItems}`, limit);
}
