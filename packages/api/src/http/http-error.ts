import { ERROR_CODES } from "@cherry-ai/memory";
import type { ErrorCode } from "@cherry-ai/memory";
import type { ProblemCode } from "@cherry-ai/client/contract";

/** Codes that only HTTP knows. */
export type HttpErrorCode = Exclude<ProblemCode, ErrorCode>;

const RETRYABLE: ReadonlySet<HttpErrorCode> = new Set([
  "REQUEST_TIMEOUT",
  "TOO_MANY_STREAMS",
  "AUTH_UNAVAILABLE",
]);

/** A request that is refused before the memory sees it. */
export class HttpError extends Error {
  override readonly name = "HttpError";
  readonly code: HttpErrorCode;
  readonly retryable: boolean;
  readonly field: string | undefined;
  /** Headers that the answer must carry, such as `Allow`. */
  readonly headers: readonly string[];

  constructor(
    code: HttpErrorCode,
    message: string,
    options: { readonly field?: string; readonly headers?: readonly string[] } = {},
  ) {
    super(message);
    this.code = code;
    this.retryable = RETRYABLE.has(code);
    this.field = options.field;
    this.headers = options.headers ?? [];
  }
}

export function isLibraryCode(code: string): code is ErrorCode {
  return Object.hasOwn(ERROR_CODES, code);
}
