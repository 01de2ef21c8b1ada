import type { Problem } from "@cherry-ai/client/contract";
import { ClientGone, discardBody } from "./body.ts";
import type { Call } from "./call.ts";
import { HttpError } from "./http-error.ts";
import { problemOf } from "./problem.ts";

const UNAVAILABLE = 503;
const RETRY_AFTER_SECONDS = 1;

/** Ends a call that failed: with a problem, or, once an answer was begun, by cutting it. */
export function answerError(call: Call, error: unknown): void {
  const { res, req } = call;
  if (error instanceof ClientGone) {
    res.destroy();
    return;
  }
  const problem = problemOf(error, call.requestId);
  if (problem.status >= 500) logFailure(call, problem, error);
  if (res.headersSent) {
    if (!res.writableEnded) res.destroy();
    return;
  }
  const headers = ["Content-Type", "application/problem+json"];
  if (error instanceof HttpError) headers.push(...error.headers);
  if (problem.status === UNAVAILABLE && problem.retryable)
    headers.push("Retry-After", String(RETRY_AFTER_SECONDS));
  discardBody(req);
  call.send(problem.status, headers, JSON.stringify(problem));
}

function logFailure(call: Call, problem: Problem, error: unknown): void {
  const { logger } = call.context;
  const { method, path } = call.route;
  const { status, code } = problem;
  const about = { requestId: call.requestId, method, route: path, status, code };
  // A store that is away is the world's fault and comes in thousands: one short line each.
  if (status === UNAVAILABLE) logger.warn({ ...about, reason: reasonOf(error) }, "request refused");
  else logger.error({ ...about, err: error }, "request failed");
}

function reasonOf(error: unknown): string {
  const REASON_SHOWN_MAX = 300;
  const { message, cause } = error instanceof Error ? error : new Error(String(error));
  const below = cause instanceof Error ? `: ${cause.message}` : "";
  return `${message}${below}`.slice(0, REASON_SHOWN_MAX);
}
