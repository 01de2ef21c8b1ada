import type { IncomingMessage } from "node:http";
import { MemoryError } from "@cherry-ai/memory";

const IDEMPOTENCY_KEY = /^[\u0021-\u007e]{1,255}$/;
const STRONG_TAG = /^"([^"]*)"$/;

/** `If-Match: "version"`, or `*` for "must exist". */
export function ifMatch(req: IncomingMessage): string | undefined {
  const header = req.headers["if-match"];
  if (header === undefined) return undefined;
  const value = header.trim();
  if (value === "*") return "*";
  const version = STRONG_TAG.exec(value)?.[1];
  if (version !== undefined) return version;
  throw refusal("If-Match", 'one version in quotes, such as "42", or *', value);
}

/** The condition of a write: null = only if absent, "*" = only if present. */
export function writeCondition(req: IncomingMessage): string | null | undefined {
  const none = req.headers["if-none-match"];
  if (none === undefined) return ifMatch(req);
  if (none.trim() !== "*") throw refusal("If-None-Match", "* on a write", none);
  if (req.headers["if-match"] !== undefined)
    throw refusal("If-None-Match", "no If-Match beside it", "both");
  return null;
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

function refusal(header: string, expected: string, given: unknown): MemoryError {
  return new MemoryError(
    "INVALID_ARGUMENT",
    `${header}: expected ${expected}, got ${JSON.stringify(String(given).slice(0, 100))}`,
    { field: header },
  );
}
