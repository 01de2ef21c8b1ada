import type { IncomingMessage, ServerResponse } from "node:http";
import { MemoryError, checkNamespace } from "@cherry-ai/memory";
import { mayAct, mayTouch, touchesEverything } from "../auth/identity.ts";
import type { Identity } from "../auth/identity.ts";
import { answerError } from "./answer-error.ts";
import { Call } from "./call.ts";
import type { PathParameters } from "./call.ts";
import type { ApiContext } from "./context.ts";
import { HttpError } from "./http-error.ts";
import type { RequestIds } from "./request-id.ts";
import { isNamespaced } from "./route.ts";
import type { Access, Route } from "./route.ts";

/** How the path names the root namespace: "/" alone, which no other namespace can be. */
const ROOT = "/";

type Request = IncomingMessage & { readonly params: PathParameters };

/**
 * The one way into every route: who calls, may they, then the route, then what became of it.
 * A single function, because each link of a middleware chain would cost on every read; and without
 * a promise as long as nothing has to be waited for.
 */
export function dispatcher(
  context: ApiContext,
  ids: RequestIds,
  route: Route,
): (req: Request, res: ServerResponse) => void {
  const { state, clock, auth, logger, bounds } = context;
  const isNamed = isNamespaced(route);
  const logsAll = logger.isLevelEnabled("debug");
  const isOpen = (req: Request): boolean =>
    route.access === "open" || (route.access === "metrics" && auth.isDirectLocal(req));

  const enter = (call: Call, identity: Identity): Promise<void> | void => {
    if (route.access !== "open") allowAction(identity, route.access);
    if (isNamed) {
      call.namespace = namespaceOf(call);
      allowNamespace(identity, call.namespace);
    }
    if (!state.ready) throw notReady();
    call.expiresAtMs = identity.expiresAtMs;
    return route.handle(call);
  };

  const start = (call: Call, req: Request): Promise<void> | void => {
    auth.admit(req);
    if (isOpen(req)) return route.handle(call);
    const identity = auth.identify(req);
    if (identity instanceof Promise) return identity.then((found) => enter(call, found));
    return enter(call, identity);
  };

  const finish = (call: Call, startedAtMs: number): void => {
    state.inFlight -= 1;
    const durationMs = clock.monotonicMs() - startedAtMs;
    context.metrics.observe(route, call.res.statusCode, durationMs);
    if (logsAll || durationMs > bounds.slowRequestMs) logRequest(call, durationMs);
  };

  const settle = async (call: Call, work: Promise<void>, startedAtMs: number): Promise<void> => {
    try {
      await work;
    } catch (error) {
      answerError(call, error);
    } finally {
      finish(call, startedAtMs);
    }
  };

  return (req, res) => {
    const startedAtMs = clock.monotonicMs();
    const requestId = ids.next(req.headers["x-request-id"]);
    const call = new Call(context, route, { req, res, requestId });
    state.inFlight += 1;
    let work: Promise<void> | void = undefined;
    try {
      work = start(call, req);
    } catch (error) {
      answerError(call, error);
    }
    if (work === undefined) finish(call, startedAtMs);
    else void settle(call, work, startedAtMs);
  };
}

function namespaceOf(call: Call): string {
  const path = call.parameter("ns");
  return path === ROOT ? "" : checkNamespace(path, call.context.limits);
}

function allowAction(identity: Identity, access: Exclude<Access, "open">): void {
  const scope = access === "metrics" ? "admin" : access;
  if (!mayAct(identity, scope))
    throw new HttpError(
      "FORBIDDEN",
      `this needs the scope ${scope}; the token has ${identity.scope}`,
    );
  if (access === "metrics" && !touchesEverything(identity))
    throw new HttpError("FORBIDDEN", "metrics show all namespaces: the token needs ns *");
}

function allowNamespace(identity: Identity, namespace: string): void {
  if (mayTouch(identity, namespace)) return;
  throw new HttpError("FORBIDDEN", "the token's ns does not cover this namespace", {
    field: "namespace",
  });
}

function notReady(): MemoryError {
  return new MemoryError("NOT_INITIALIZED", "the server is still starting; try again shortly");
}

/** The route and its outcome; never the path, whose keys may name people. */
function logRequest(call: Call, durationMs: number): void {
  const { logger, bounds } = call.context;
  const { method, path } = call.route;
  const about = {
    requestId: call.requestId,
    method: call.req.method ?? method,
    route: path,
    status: call.res.statusCode,
    durationMs: Math.round(durationMs),
  };
  // A stream is as long as its reader likes.
  const isSlow = durationMs > bounds.slowRequestMs && !path.endsWith("/changes");
  if (isSlow) logger.warn(about, "slow request");
  else logger.debug(about, "request");
}
