import type { HttpErrorCode } from "../../packages/api/src/http/http-error.ts";
import type { ErrorCode } from "../../packages/memory/src/model/errors.ts";

export interface ErrorText {
  readonly means: string;
  readonly todo: string;
}

const FIX_INPUT = "Correct the field that the message names; nothing was changed.";

/** What each code means and what to do. A code without a text here does not type-check. */
export const ERROR_TEXTS: { readonly [code in ErrorCode]: ErrorText } = {
  INVALID_ARGUMENT: {
    means: "An option or body has a wrong type, an unknown field or a value out of range.",
    todo: FIX_INPUT,
  },
  INVALID_KEY: {
    means:
      "The key is empty, longer than 1,024 UTF-8 bytes, exactly `.` or `..`, or holds NUL or a lone surrogate.",
    todo: FIX_INPUT,
  },
  INVALID_NAMESPACE: {
    means:
      "The namespace has more than 512 bytes or 16 segments, or a segment that breaks the rules of keys or holds `/`.",
    todo: FIX_INPUT,
  },
  INVALID_VALUE: {
    means:
      "The value has no JSON form: cyclic, too deep, `undefined`, a function, a symbol, NaN, a bigint, a Map.",
    todo: "Turn it into plain JSON first. Dates become ISO strings.",
  },
  INVALID_METADATA: {
    means: "Metadata is no object, larger than 16 KiB, too deep, or holds NUL or a lone surrogate.",
    todo: FIX_INPUT,
  },
  INVALID_TAGS: {
    means: "More than 32 tags, or one that is empty or longer than 128 bytes.",
    todo: FIX_INPUT,
  },
  INVALID_TTL: {
    means: "`ttlSeconds` is not a number above 0 and at most ten years.",
    todo: "Leave it out for an item that does not expire.",
  },
  INVALID_FILTER: {
    means:
      "A metadata filter has an unknown operator, a wrong operand, or is too deep or too long.",
    todo: "The field is the path of the clause, such as `metadataFilter.$and[2].age`.",
  },
  INVALID_PATTERN: {
    means: "A glob is longer than 1,024 bytes or has an unclosed `[` or a trailing `\\`.",
    todo: "Escape a literal `*`, `?`, `[` or `\\` with `\\`.",
  },
  INVALID_CURSOR: {
    means: "The cursor is not one of ours, or belongs to another search.",
    todo: "Begin again without a cursor.",
  },
  INVALID_SESSION: {
    means:
      "The session token (`X-Cherry-Session`, or the option `session`) was cut or changed, or never was one.",
    todo: "Send tokens back as they came, or leave the token out to begin a new session. A token of another release is no error.",
  },
  INVALID_CONFIG: {
    means: "The configuration is wrong; the message lists every problem at once.",
    todo: "See [settings](config.md).",
  },
  VALUE_TOO_LARGE: {
    means: "The value's JSON text is larger than `CHERRY_MAX_VALUE_BYTES` (1 MiB).",
    todo: "Store large bodies elsewhere and keep a reference, or raise the limit.",
  },
  BATCH_TOO_LARGE: {
    means: "The batch has more than 1,000 operations or 8 MiB.",
    todo: "Send it in parts.",
  },
  EPHEMERAL_NEEDS_L2: {
    means:
      "Ephemeral items need Redis beside PostgreSQL: a single server's memory is no authority.",
    todo: "Set `REDIS_URL`, or store the item as `durable`.",
  },
  DURABILITY_CONFLICT: {
    means: "An ephemeral write met a live durable item of the same key.",
    todo: "Delete the durable item first, or use another key.",
  },
  CAPABILITY_UNAVAILABLE: {
    means: "No tier of this deployment can do that, such as search by meaning without embeddings.",
    todo: "Start the server with the tier that can; `GET /readyz` shows which are on.",
  },
  NOT_FOUND: {
    means: "There is surely no such item.",
    todo: "Nothing: an outage never answers with this code.",
  },
  VERSION_CONFLICT: {
    means: "The item's version is not the expected one. Nothing was written.",
    todo: "Read it again and retry with the new version, or use `update`, which does so.",
  },
  BATCH_ABORTED: {
    means: "One operation of an atomic batch failed, so none was applied; the index says which.",
    todo: "See the cause, correct that operation and send the batch again.",
  },
  IDEMPOTENCY_MISMATCH: {
    means: "The idempotency key was used within 24 hours for another request.",
    todo: "Use a new key for each new request.",
  },
  CURSOR_EXPIRED: {
    means: "The change log no longer reaches back to the cursor.",
    todo: "Rebuild from an export, then follow from its end.",
  },
  CORRUPT_VALUE: {
    means: "The stored bytes do not match their checksum. The value is not returned.",
    todo: "Restore the item from a backup or write it again; check the disk.",
  },
  UNKNOWN_ENCRYPTION_KEY: {
    means: "The item was encrypted with a key that `CHERRY_ENCRYPTION_KEYS` does not hold.",
    todo: "Add the old key behind the new one.",
  },
  STORE_UNAVAILABLE: {
    means:
      "The database, or for an ephemeral item Redis, did not answer. The write was surely not done.",
    todo: "Retry with a delay.",
  },
  OUTCOME_UNKNOWN: {
    means:
      "The connection was lost, or no answer came in time, while a write may have been committed.",
    todo: "Read with `consistency: latest` before deciding, or send an idempotency key and retry.",
  },
  DEADLINE_EXCEEDED: {
    means:
      "The operation did not end within its time; of `getOrSet`: the loader, here or on another server, did not answer within `loaderTimeoutMs`.",
    todo: "Retry with a delay; look at the latency metrics when it goes on.",
  },
  STORAGE_LOCKED: {
    means: "Another process holds the storage folder.",
    todo: "Stop it, or set another `CHERRY_DATA_DIR`. The lock frees itself after a crash.",
  },
  EMBEDDING_UNAVAILABLE: {
    means:
      "What makes vectors did not answer: the endpoint is away, slow, limits us or refuses our key, or the local model stopped.",
    todo: "Writes go on and are indexed later. Look at the message's cause; search by keyword works meanwhile.",
  },
  EMBEDDING_INVALID: {
    means:
      "What makes vectors answered with something else: too few vectors, another dimension, no numbers, or no JSON.",
    todo: "Compare `CHERRY_EMBEDDINGS_MODEL` and `CHERRY_EMBEDDINGS_DIMENSIONS` with what the endpoint serves.",
  },
  EMBEDDING_REFUSED: {
    means: "What makes vectors will not take this text, however often it is asked.",
    todo: "Shorten the text (`text` of the write), or write with `embed: false`; the item is found by its words.",
  },
  EMBEDDING_BUDGET_SPENT: {
    means: "The tokens or the money that embedding may cost in a day are spent.",
    todo: "Wait for midnight UTC, or raise `embeddings.budget`; what waits is embedded then.",
  },
  CLOSED: {
    means: "The manager was closed.",
    todo: "Open a new one.",
  },
  NOT_INITIALIZED: {
    means: "`initialize()` has not succeeded yet.",
    todo: "Await `initialize()` first; over HTTP wait for `/readyz`.",
  },
  INTERNAL: {
    means: "A fault of ours, or of a dependency in a way that we do not know.",
    todo: "Report it with the request id and the log's lines.",
  },
};

/** The codes that only the HTTP server gives. */
export const HTTP_ERROR_TEXTS: { readonly [code in HttpErrorCode]: ErrorText } = {
  INVALID_JSON: {
    means: "The body is no JSON, is no UTF-8, or ends before it is whole.",
    todo: "Send the whole of one JSON document; nothing was changed.",
  },
  UNAUTHENTICATED: {
    means: "The token is missing, expired, signed by somebody else, or for another audience.",
    todo: "Get a new token: `cherry-memory token --help`.",
  },
  FORBIDDEN: {
    means:
      "The token's scope or namespaces do not reach this, or, without a JWT setting, the request came through a proxy or for another host.",
    todo: "Ask for a token with the scope and namespace that the message names.",
  },
  ROUTE_NOT_FOUND: {
    means: "No route has this path. An item that is absent has NOT_FOUND instead.",
    todo: "Compare the path with `/openapi.json`; a namespace is percent-encoded as one segment.",
  },
  METHOD_NOT_ALLOWED: {
    means: "The path is known, but not with this method.",
    todo: "Use one of the methods in the `Allow` header.",
  },
  REQUEST_TIMEOUT: {
    means: "The body did not arrive in time; nothing was changed.",
    todo: "Send it again, faster or in parts.",
  },
  BODY_TOO_LARGE: {
    means: "The body is larger than this route takes; nothing was changed.",
    todo: "Send less at once: several batches, or an import, which is streamed.",
  },
  UNSUPPORTED_MEDIA_TYPE: {
    means: "The body's Content-Type or charset is not one that this route reads.",
    todo: "Send `application/json` (PATCH: also `application/merge-patch+json`; import: `application/x-ndjson`) in UTF-8.",
  },
  HEADERS_TOO_LARGE: {
    means: "The path and headers are larger than the server takes.",
    todo: "Use shorter keys or fewer headers.",
  },
  TOO_MANY_STREAMS: {
    means: "This server serves as many change streams as it may.",
    todo: "Try again later, or close streams that nobody reads.",
  },
  AUTH_UNAVAILABLE: {
    means: "The key set that verifies tokens cannot be had right now.",
    todo: "Try again; if it lasts, look at CHERRY_JWKS_URL.",
  },
};
