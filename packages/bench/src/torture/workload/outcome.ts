import { CallFailed } from "../servers/server-process.ts";
import type { Outcome } from "../history/history.ts";

/** Refusals that promise that nothing was changed; whatever else comes leaves it open. */
const SURELY_NOT_DONE =
  /^(DOWN|STORE_UNAVAILABLE|VERSION_CONFLICT|BATCH_ABORTED|NOT_FOUND|CLOSED|NOT_INITIALIZED|CAPABILITY_UNAVAILABLE|INVALID_[A-Z]+)$/;

/** Refusals that are right answers, not outages. */
const EXPECTED = new Set(["VERSION_CONFLICT", "BATCH_ABORTED", "NOT_FOUND"]);

export function codeOf(error: unknown): string {
  if (error instanceof CallFailed) return error.code;
  throw error;
}

export function outcomeOf(code: string): Exclude<Outcome, "pending" | "acknowledged"> {
  return SURELY_NOT_DONE.test(code) ? "refused" : "unknown";
}

export function isOutage(code: string): boolean {
  return !EXPECTED.has(code);
}
