import { MemoryError } from "../model/errors.ts";
import type { JsonObject, JsonValue } from "../model/item.ts";
import { checkKey } from "../model/key.ts";
import type { Limits } from "../model/limits.ts";
import { MEMORY_TIERS } from "../model/item.ts";
import { checkMetadata, checkTags, checkTtl, checkValue } from "../model/value.ts";
import type { Condition } from "../tiers/authority.ts";
import type { ReadOptions, SetOptions } from "./memory.ts";
import { NO_METADATA, NO_TAGS } from "./core.ts";

const VERSION = /^(0|[1-9][0-9]{0,15})$/;

/** A version as callers write it. One that cannot exist is no error: it simply matches nothing. */
function parseVersion(text: unknown, field: string): number {
  if (typeof text === "string" && VERSION.test(text)) return Number(text);
  throw new MemoryError(
    "INVALID_ARGUMENT",
    `${field}: expected a version as a decimal string, got ${JSON.stringify(text)}`,
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
  readonly ttlSeconds: number | undefined;
  readonly condition: Condition | undefined;
}

const DURABILITIES: readonly unknown[] = ["durable", "ephemeral", undefined];
const SWITCHES: readonly unknown[] = [true, false, undefined];

function refuse(field: string, expected: string, given: unknown): never {
  const message = `${field}: expected ${expected}, got ${JSON.stringify(given)}`;
  throw new MemoryError("INVALID_ARGUMENT", message, { field });
}

function checkChoices(options: SetOptions): void {
  const { tierHint, durability, text, index, embed } = options;
  if (tierHint !== undefined && !MEMORY_TIERS.includes(tierHint))
    refuse("tierHint", MEMORY_TIERS.join(", "), tierHint);
  if (!DURABILITIES.includes(durability)) refuse("durability", "durable or ephemeral", durability);
  if (text !== undefined && typeof text !== "string") refuse("text", "text", text);
  if (!SWITCHES.includes(index)) refuse("index", "true or false", index);
  if (!SWITCHES.includes(embed)) refuse("embed", "true or false", embed);
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
  checkChoices(options);
  return {
    key: checkKey(key, limits),
    value: checkValue(value, limits),
    metadata: metadata === undefined ? NO_METADATA : checkMetadata(metadata, limits),
    tags: tags === undefined ? NO_TAGS : checkTags(tags, limits),
    ttlSeconds,
    condition: parseCondition(options.ifVersion),
  };
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

const CONSISTENCIES = new Set<unknown>(["any", "latest"]);
const ID_BYTES_MAX = 256;
const POSITION = /^(0|[1-9][0-9]{0,15})$/;

/** Refuses read options that would otherwise be taken for something weaker than what was meant. */
export function checkConsistency(options: ReadOptions | undefined): void {
  if (options === undefined) return;
  const { consistency, maxStalenessMs } = options;
  if (consistency !== undefined && !CONSISTENCIES.has(consistency))
    throw new MemoryError(
      "INVALID_ARGUMENT",
      `consistency: expected any or latest, got ${JSON.stringify(consistency)}`,
      { field: "consistency" },
    );
  if (maxStalenessMs !== undefined && !(Number.isFinite(maxStalenessMs) && maxStalenessMs >= 0))
    throw new MemoryError(
      "INVALID_ARGUMENT",
      `maxStalenessMs: expected milliseconds from 0 on, got ${String(maxStalenessMs)}`,
      { field: "maxStalenessMs" },
    );
}

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
  if (typeof after === "string" && POSITION.test(after)) return Number(after);
  throw new MemoryError("INVALID_CURSOR", "after: expected a position from an earlier page", {
    field: "after",
  });
}
