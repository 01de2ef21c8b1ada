import type { Clock, Random } from "../../../model/clock.ts";
import { MemoryError } from "../../../model/errors.ts";
import { backoffMs } from "../../../resilience/backoff.ts";
import type { Answered } from "./exchange.ts";

const MS_PER_SECOND = 1000;
const BACKOFF = { firstMs: 250, maxMs: 8_000 };
/** Whoever asks for more gets it, but nobody is kept waiting for it: the call fails and comes again. */
const RETRY_AFTER_MAX_MS = 60_000;
const OK_MIN = 200;
const OK_MAX = 299;
const SERVER_ERROR_MIN = 500;
const REFUSED_TEXTS: ReadonlySet<number> = new Set([400, 413, 422]);
const REFUSED_KEY: ReadonlySet<number> = new Set([401, 403]);
const TRY_AGAIN: ReadonlySet<number> = new Set([408, 409, 425, 429]);

/** What an answer means: an answer to read, one to ask again for, or the error that it is. */
export type Verdict =
  { readonly kind: "read" } | { readonly kind: "again" | "fail"; readonly error: MemoryError };

export function judge({ status }: Answered, origin: string): Verdict {
  if (status >= OK_MIN && status <= OK_MAX) return { kind: "read" };
  if (REFUSED_TEXTS.has(status))
    return {
      kind: "fail",
      error: new MemoryError(
        "EMBEDDING_REFUSED",
        `the embedding endpoint ${origin} refused the texts with ${status}: too long, or not what the model takes`,
      ),
    };
  const kind = TRY_AGAIN.has(status) || status >= SERVER_ERROR_MIN ? "again" : "fail";
  return {
    kind,
    error: new MemoryError(
      "EMBEDDING_UNAVAILABLE",
      `the embedding endpoint ${origin} answered ${status}${remedy(status)}`,
    ),
  };
}

function remedy(status: number): string {
  if (REFUSED_KEY.has(status)) return "; check CHERRY_EMBEDDINGS_API_KEY";
  if (status === 404) return "; check the URL of CHERRY_EMBEDDINGS and CHERRY_EMBEDDINGS_MODEL";
  if (status === 429) return ": too much was asked of it";
  return "";
}

/**
 * How long to wait before asking again, undefined when that is too long. What the endpoint asked for,
 * and chance on top: all who were turned away together must not come back together.
 */
export function pauseMs(
  attempt: number,
  retryAfter: string | null,
  time: { readonly clock: Clock; readonly random: Random },
): number | undefined {
  const asked = retryAfterMs(retryAfter, time.clock);
  const pause = backoffMs(attempt, BACKOFF, time.random);
  if (asked === undefined) return pause;
  return asked > RETRY_AFTER_MAX_MS ? undefined : asked + pause;
}

/** Seconds, or a date. */
function retryAfterMs(header: string | null, clock: Clock): number | undefined {
  const text = header?.trim() ?? "";
  if (text === "") return undefined;
  const delayMs = /^\d+(\.\d+)?$/.test(text)
    ? Number(text) * MS_PER_SECOND
    : Date.parse(text) - clock.wallMs();
  return Number.isFinite(delayMs) ? Math.max(0, delayMs) : undefined;
}
