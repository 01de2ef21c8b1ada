import type { IncomingMessage } from "node:http";
import express from "express";
import type { Express, NextFunction, Request, Response } from "express";
import { MemoryError } from "@cherry-ai/memory";
import type { ApiContext } from "../http/context.ts";
import { dispatcher } from "../http/dispatch.ts";
import { HttpError } from "../http/http-error.ts";
import { RequestIds } from "../http/request-id.ts";
import { expressPath } from "../http/route.ts";
import type { Method, Route } from "../http/route.ts";
import { strict } from "../http/strict.ts";
import { ROUTES } from "../routes/table.ts";

const METHOD_NAMES = {
  GET: "get",
  PUT: "put",
  PATCH: "patch",
  DELETE: "delete",
  POST: "post",
} as const satisfies { readonly [method in Method]: string };

/** Place of the namespace in a path split at "/": "", v1, namespaces, {ns}. */
const NAMESPACE_PLACE = 3;

/** The HTTP application: every route of the table, and problems for everything else. */
export function createApp(context: ApiContext, routes: readonly Route[] = ROUTES): Express {
  const app = express();
  app.disable("x-powered-by");
  // "/items/k/" and "/V1/…" are other addresses, not other spellings.
  app.enable("strict routing");
  app.enable("case sensitive routing");
  const ids = new RequestIds();
  const open = (path: string, handle: Route["handle"]): ReturnType<typeof dispatcher> =>
    dispatcher(context, ids, { ...OUTSIDE, path, handle });

  for (const [path, group] of Map.groupBy(routes, (route) => route.path)) {
    const place = app.route(expressPath(path));
    for (const route of group)
      place[METHOD_NAMES[route.method]](dispatcher(context, ids, strict(route)));
    place.all(open(path, refuseMethod(group)));
  }
  app.use(
    open("(unknown)", () => {
      throw new HttpError("ROUTE_NOT_FOUND", "no such route; /openapi.json lists all of them");
    }),
  );
  app.use((error: unknown, req: Request, res: Response, _next: NextFunction) =>
    open("(unreadable)", () => {
      throw pathError(error, req);
    })(asExchange(req), res),
  );
  return app;
}

/** Requests that reach no route, but are judged, counted and logged like all others. */
const OUTSIDE: Omit<Route, "path" | "handle"> = {
  method: "GET",
  access: "open",
  operation: { operationId: "none", summary: "", tags: [], responses: {} },
};

function refuseMethod(group: readonly Route[]): Route["handle"] {
  const methods = group.map((route) => route.method as string);
  if (methods.includes("GET")) methods.push("HEAD");
  const allow = [...methods, "OPTIONS"].join(", ");
  return (call) => {
    if (call.req.method === "OPTIONS") {
      call.open(204, ["Allow", allow]);
      call.res.end();
      return;
    }
    throw new HttpError("METHOD_NOT_ALLOWED", `method: expected one of ${allow}`, {
      headers: ["Allow", allow],
    });
  };
}

/** express decodes the path strictly and fails on broken escapes and on what is not UTF-8. */
function pathError(error: unknown, req: IncomingMessage): unknown {
  const status: unknown = (error as { readonly status?: unknown } | undefined)?.status;
  if (status !== 400) return error;
  const segments = (req.url ?? "").split("?", 1)[0]?.split("/") ?? [];
  const field = isDecodable(segments[NAMESPACE_PLACE] ?? "") ? "key" : "namespace";
  return new MemoryError(
    field === "key" ? "INVALID_KEY" : "INVALID_NAMESPACE",
    `${field}: expected percent-encoded UTF-8`,
    { field },
  );
}

function isDecodable(segment: string): boolean {
  try {
    decodeURIComponent(segment);
    return true;
  } catch {
    return false;
  }
}

function asExchange(req: Request): Parameters<ReturnType<typeof dispatcher>>[0] {
  // When the path could not be decoded, express has left no parameters behind.
  req.params ??= {};
  return req;
}
