import type { Problem } from "./contract.ts";

/** Codes of what went wrong before an answer of the server came. */
export type ClientErrorCode =
  "NETWORK" | "UNEXPECTED_RESPONSE" | "INVALID_KEY" | "INVALID_NAMESPACE";

export interface CherryErrorOptions {
  readonly status?: number;
  readonly retryable?: boolean;
  readonly problem?: Problem;
  readonly cause?: unknown;
}

/** Every failure of a call: `code` is stable, `retryable` says whether the same call may succeed later. */
export class CherryError extends Error {
  override readonly name = "CherryError";
  /** A `ProblemCode` of the server, or a `ClientErrorCode`. */
  readonly code: string;
  /** HTTP status; 0 = no answer came. */
  readonly status: number;
  readonly retryable: boolean;
  /** The server's problem document, when there is one. */
  readonly problem: Problem | undefined;

  constructor(code: string, message: string, options: CherryErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.status = options.status ?? 0;
    this.retryable = options.retryable ?? false;
    this.problem = options.problem;
  }
}

function isProblem(value: unknown): value is Problem {
  if (typeof value !== "object" || value === null) return false;
  const { code, detail, retryable } = value as { readonly [name: string]: unknown };
  return typeof code === "string" && typeof detail === "string" && typeof retryable === "boolean";
}

/** The error that a failed response stands for. Reads its body. */
export async function responseError(response: Response): Promise<CherryError> {
  const { status } = response;
  const text = await response.text().catch(() => "");
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    body = undefined;
  }
  if (isProblem(body))
    return new CherryError(body.code, body.detail, {
      status,
      retryable: body.retryable,
      problem: body,
    });
  // Not ours: a proxy's page, or another server at this address.
  return new CherryError("UNEXPECTED_RESPONSE", `expected a Cherry Memory answer, got ${status}`, {
    status,
    retryable: status === 502 || status === 503 || status === 504 || status === 429,
  });
}
