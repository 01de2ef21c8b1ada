import { STATUS_CODES } from "node:http";
import { BatchAborted, ERROR_CODES, VersionConflict, isMemoryError } from "@cherry-ai/memory";
import { PROBLEM_STATUS } from "@cherry-ai/client/contract";
import type { Problem, ProblemCode } from "@cherry-ai/client/contract";
import { HttpError, isLibraryCode } from "./http-error.ts";

const UNEXPECTED = "the server failed; its log has more under this requestId";

/** Status of a code; the library's own table decides for its codes. */
export function statusOf(code: ProblemCode): number {
  return isLibraryCode(code) ? ERROR_CODES[code].status : PROBLEM_STATUS[code];
}

/**
 * Any thrown thing as a problem document. What is not meant for callers (foreign errors, their
 * messages and stacks) is replaced by a fixed sentence.
 */
export function problemOf(error: unknown, requestId: string): Problem {
  if (error instanceof HttpError || (isMemoryError(error) && error.code !== "INTERNAL")) {
    const { code, retryable, message, field } = error;
    return {
      ...kindOf(code),
      detail: message,
      retryable,
      ...(field === undefined ? {} : { field }),
      requestId,
      ...(error instanceof VersionConflict
        ? { currentVersion: error.current?.version ?? null }
        : {}),
      ...(error instanceof BatchAborted ? { index: error.index } : {}),
    };
  }
  return { ...kindOf("INTERNAL"), detail: UNEXPECTED, retryable: false, requestId };
}

function kindOf(code: ProblemCode): Pick<Problem, "type" | "title" | "status" | "code"> {
  const status = statusOf(code);
  const kind = code.toLowerCase().replaceAll("_", "-");
  return {
    type: `urn:cherry-memory:problem:${kind}`,
    title: STATUS_CODES[status] ?? "Error",
    status,
    code,
  };
}
