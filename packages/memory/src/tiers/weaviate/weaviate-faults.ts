import { MemoryError } from "../../model/errors.ts";
import { describe } from "../../model/text.ts";

/**
 * What a failed call means. away: nobody there, or no answer in time, or an answer cut off. locked out:
 * the key is not let in. no tenant, no collection: there is nothing where it was looked for. taken:
 * somebody else made the same meanwhile.
 */
export type FaultKind = "away" | "locked out" | "no tenant" | "no collection" | "taken" | "other";

/** By words of the driver and of the server, since most come as nothing but text; first match counts. */
const SIGNS: readonly (readonly [FaultKind, RegExp])[] = [
  ["no tenant", /tenant not found|tenant .* not found/i],
  [
    "no collection",
    /could not find class|class not found|multi-tenancy disabled|status code: 404/i,
  ],
  ["locked out", /UNAUTHENTICATED|PERMISSION_DENIED|status code: 40[13]|forbidden|unauthorized/i],
  ["taken", /already exists|already in use/i],
  [
    "away",
    /UNAVAILABLE|DEADLINE_EXCEEDED|RESOURCE_EXHAUSTED|CANCELLED|RST_STREAM|timed out|fetch failed|ECONN|EPIPE|socket|abort|status code: (429|50[0-4])|leader not found|no leader|connection (reset|refused|closed)|store is not ready|not yet ready|shutting down|read-only/i,
  ],
];

export function faultOf(error: unknown): FaultKind {
  const text = textOf(error);
  return SIGNS.find(([, sign]) => sign.test(text))?.[0] ?? "other";
}

/** What the call gives, or what is given instead when it fails in one of these ways. */
export async function unlessFault<T, U>(
  kinds: readonly FaultKind[],
  call: Promise<T>,
  instead: (kind: FaultKind) => U | Promise<U>,
): Promise<T | U> {
  try {
    return await call;
  } catch (error) {
    const kind = faultOf(error);
    if (!kinds.includes(kind)) throw error;
    return instead(kind);
  }
}

/** The error as callers see it. */
export function translateFault(error: unknown, where: string): MemoryError {
  if (error instanceof MemoryError) return error;
  const text = textOf(error);
  switch (faultOf(error)) {
    case "away":
      return new MemoryError(
        "STORE_UNAVAILABLE",
        `Weaviate at ${where} did not answer as it should: ${text}; retry later`,
        { cause: error },
      );
    case "locked out":
      return new MemoryError(
        "STORE_UNAVAILABLE",
        `Weaviate at ${where} does not let this key in: ${text}; set WEAVIATE_API_KEY or WEAVIATE_API_KEY_FILE to one with the right to read and write collections`,
        { cause: error },
      );
    case "no tenant":
    case "no collection":
    case "taken":
    case "other":
      return new MemoryError("INTERNAL", `Weaviate at ${where} refused a call: ${text}`, {
        cause: error,
      });
  }
}

const CAUSES_MAX = 4;
const SHOWN_MAX = 500;

/** With its causes: `fetch failed` alone says nothing. */
function textOf(error: unknown): string {
  const texts: string[] = [];
  let at: unknown = error;
  for (let depth = 0; depth < CAUSES_MAX && at !== undefined; depth += 1) {
    texts.push(at instanceof Error ? at.message : describe(at));
    at = at instanceof Error ? at.cause : undefined;
  }
  const text = texts.filter((one) => one !== "").join(": ");
  return text.length <= SHOWN_MAX ? text : `${text.slice(0, SHOWN_MAX)}…`;
}
