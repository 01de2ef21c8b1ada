import { MemoryError } from "../../model/errors.ts";
import type { JsonObject } from "../../model/item.ts";
import { checkKey } from "../../model/key.ts";
import type { Limits } from "../../model/limits.ts";
import { exceedsBytes, textFault } from "../../model/text.ts";
import { checkMetadata, checkTtl } from "../../model/value.ts";
import { checkTime } from "../../recall/world-time.ts";
import { checkOptions, refuse } from "../options.ts";
import type { RememberOptions } from "./memories.ts";

/** Of a speaker's name and of a session's. */
const NAME_BYTES_MAX = 256;
/** Memories in whose place one comes. All are marked in one transaction. */
const SUPERSEDED_MAX = 32;

/** What is to be remembered, checked in full before anything is changed. Times are milliseconds. */
export interface CheckedMemory {
  readonly id: string | undefined;
  readonly text: string;
  readonly sessionId: string | undefined;
  readonly speaker: string | undefined;
  readonly atMs: number | undefined;
  readonly importance: number | undefined;
  readonly pinned: boolean | undefined;
  readonly validFromMs: number | undefined;
  readonly supersedes: readonly string[];
  readonly metadata: JsonObject | undefined;
  readonly ttlSeconds: number | undefined;
}

const REMEMBER_OPTIONS: { readonly [name: string]: () => void } = Object.fromEntries(
  [
    "id",
    "sessionId",
    "text",
    "speaker",
    "at",
    "metadata",
    "importance",
    "pinned",
    "validFrom",
    "supersedes",
    "ttlSeconds",
  ].map((name) => [name, (): void => {}]),
);

export function checkRemember(options: RememberOptions, limits: Limits): CheckedMemory {
  const given = checkOptions(options, REMEMBER_OPTIONS);
  const { id, sessionId, text, speaker, at, metadata, importance, pinned, validFrom } = given;
  if (typeof text !== "string" || text.trim() === "")
    refuse("text", "what is to be remembered, as text that is not blank", text);
  if (pinned !== undefined && typeof pinned !== "boolean")
    refuse("pinned", "true or false", pinned);
  const isShare = typeof importance === "number" && importance >= 0 && importance <= 1;
  if (importance !== undefined && !isShare)
    refuse("importance", "a number from 0 to 1", importance);
  if (given.ttlSeconds !== undefined) checkTtl(given.ttlSeconds, limits);
  const known = id === undefined ? undefined : checkId(id, "id", limits);
  return {
    id: known,
    text,
    sessionId: sessionId === undefined ? undefined : checkName(sessionId, "sessionId"),
    speaker: speaker === undefined ? undefined : checkName(speaker, "speaker"),
    atMs: at === undefined ? undefined : checkTime(at, "at"),
    importance,
    pinned,
    validFromMs: validFrom === undefined ? undefined : checkTime(validFrom, "validFrom"),
    supersedes: checkSuperseded(given.supersedes, known, limits),
    metadata: metadata === undefined ? undefined : checkMetadata(metadata, limits),
    ttlSeconds: given.ttlSeconds,
  };
}

/** The name of a speaker or session. */
export function checkName(name: unknown, field: string): string {
  if (typeof name !== "string" || name === "" || exceedsBytes(name, NAME_BYTES_MAX))
    refuse(field, `text of 1 to ${NAME_BYTES_MAX} bytes`, name);
  const fault = textFault(name);
  if (fault === undefined) return name;
  throw new MemoryError("INVALID_ARGUMENT", `${field}: ${fault}; leave that out`, { field });
}

function checkSuperseded(given: unknown, own: string | undefined, limits: Limits): string[] {
  if (given === undefined) return [];
  const listed: readonly unknown[] = Array.isArray(given) ? given : [given];
  if (listed.length > SUPERSEDED_MAX)
    refuse("supersedes", `at most ${SUPERSEDED_MAX} ids`, `${listed.length} ids`);
  const ids = [...new Set(listed.map((id) => checkId(id, "supersedes", limits)))];
  if (own !== undefined && ids.includes(own))
    refuse("supersedes", "ids of other memories than this one", own);
  return ids;
}

/** An id is a key; what is wrong with it is said of the field that the caller knows. */
function checkId(id: unknown, field: string, limits: Limits): string {
  try {
    return checkKey(id, limits);
  } catch (cause) {
    if (!(cause instanceof MemoryError)) throw cause;
    throw new MemoryError(cause.code, `${field}: ${cause.message}`, { cause, field });
  }
}
