import type { IncomingMessage } from "node:http";
import { MemoryError, VersionConflict } from "@cherry-ai/memory";

const IDEMPOTENCY_KEY = /^[\u0021-\u007e]{1,255}$/;
/** One entity tag of a list (RFC 9110, 8.8.3), or nothing between two commas. */
const TAG = /[ \t]*(?:(W\/)?"([\u0021\u0023-\u007e\u0080-\u00ff]*)"[ \t]*)?(?:,|$)/y;
/** A version as ETags spell it: "07" is another tag than "7". */
const VERSION = /^(?:0|[1-9]\d{0,15})$/;
/** No item ever has it: what a tag that can match nothing asks for. */
const NO_VERSION = "0";
const SHOWN_MAX = 100;

/** What `If-Match` asks of the item that is there. */
export type Match =
  | { readonly kind: "none" }
  | { readonly kind: "present" }
  | {
      readonly kind: "versions";
      /** Empty when no tag of the list can match. */
      readonly versions: readonly string[];
      readonly given: string;
    };

/** Tags are compared strongly (RFC 9110, 13.1.1): a weak one, or one that is no version, matches nothing. */
export function ifMatch(req: IncomingMessage): Match {
  const given = req.headers["if-match"];
  if (given === undefined) return { kind: "none" };
  if (given.trim() === "*") return { kind: "present" };
  const versions = new Set<string>();
  let tags = 0;
  for (TAG.lastIndex = 0; TAG.lastIndex < given.length;) {
    const found = TAG.exec(given);
    if (found === null) throw badIfMatch(given);
    const [, weak, tag] = found;
    if (tag === undefined) continue;
    tags += 1;
    if (weak === undefined && VERSION.test(tag)) versions.add(tag);
  }
  if (tags === 0) throw badIfMatch(given);
  // A repeat finds the item as its first try left it, and would be judged by another version.
  if (versions.size > 1 && req.headers["idempotency-key"] !== undefined)
    throw refusal("If-Match", "one version beside an Idempotency-Key", given);
  return { kind: "versions", versions: [...versions], given };
}

/** `If-None-Match: *`: whether a write is for an absent item only. */
export function onlyIfAbsent(req: IncomingMessage): boolean {
  const none = req.headers["if-none-match"];
  if (none === undefined) return false;
  if (none.trim() !== "*") throw refusal("If-None-Match", "* on a write", none);
  if (req.headers["if-match"] === undefined) return true;
  throw refusal("If-None-Match", "no If-Match beside it", "both");
}

/**
 * Writes under a condition. The store judges it in the statement that writes; of several versions
 * one at a time, because an item has one at a time: first any, then the one that is there.
 */
export async function writeIf<Receipt>(
  key: string,
  match: Match,
  write: (options: { readonly ifVersion?: string }) => Promise<Receipt>,
): Promise<Receipt> {
  if (match.kind === "none") return write({});
  if (match.kind === "present") return write({ ifVersion: "*" });
  const { versions, given } = match;
  const untried = new Set(versions);
  let version = versions[0] ?? NO_VERSION;
  for (;;)
    try {
      return await write({ ifVersion: version });
    } catch (error) {
      if (!(error instanceof VersionConflict)) throw error;
      untried.delete(version);
      const { current } = error;
      if (current === null || !untried.has(current.version))
        throw new VersionConflict(key, `If-Match ${given.slice(0, SHOWN_MAX)}`, current);
      version = current.version;
    }
}

/** Whether the caller has this version already, so that 304 is enough. Weak tags count. */
export function hasVersion(header: string, version: string): boolean {
  if (header.trim() === "*") return true;
  return header.split(",").some((tag) => tag.trim().replace(/^W\//, "") === `"${version}"`);
}

export function idempotencyKey(req: IncomingMessage): string | undefined {
  const header = req.headers["idempotency-key"];
  if (header === undefined) return undefined;
  if (typeof header === "string" && IDEMPOTENCY_KEY.test(header)) return header;
  throw refusal("Idempotency-Key", "1 to 255 visible ASCII characters", header);
}

function badIfMatch(given: string): MemoryError {
  return refusal("If-Match", 'versions in quotes, such as "42", or *', given);
}

function refusal(header: string, expected: string, given: unknown): MemoryError {
  return new MemoryError(
    "INVALID_ARGUMENT",
    `${header}: expected ${expected}, got ${shown(String(given))}`,
    { field: header },
  );
}

function shown(given: string): string {
  return JSON.stringify(given.slice(0, SHOWN_MAX));
}
