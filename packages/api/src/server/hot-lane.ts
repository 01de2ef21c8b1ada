import type { IncomingMessage, ServerResponse } from "node:http";
import { MemoryError } from "@cherry-ai/memory";
import type { PathParameters } from "../http/call.ts";
import type { ApiContext } from "../http/context.ts";
import { dispatcher } from "../http/dispatch.ts";
import { RequestIds } from "../http/request-id.ts";
import { strict } from "../http/strict.ts";
import { ITEM_PATH } from "../routes/items.ts";
import { ROUTES } from "../routes/table.ts";

type Handle = (req: IncomingMessage, res: ServerResponse) => void;

/** Printable ASCII only, without query or fragment: all other targets are express's to judge. */
const ITEM_TARGET = /^\/v1\/namespaces\/([!"$-.0->@-~]+)\/items\/([!"$-.0->@-~]+)$/;

/**
 * Reads of one item pass express by: changing the prototypes of each request and answer, and asking
 * the router, cost a fifth of a hit. Every other request, and every target that express might read
 * in another way, goes to express. The route and its dispatcher are the same in both, and tests
 * compare the two lanes request by request.
 */
export function withHotLane(context: ApiContext, app: Handle): Handle {
  const route = ROUTES.find(({ method, path }) => method === "GET" && path === ITEM_PATH);
  if (route === undefined) throw new MemoryError("INTERNAL", `no route reads ${ITEM_PATH}`);
  const read = dispatcher(context, new RequestIds(), strict(route));
  return (req, res) => {
    const params = req.method === "GET" ? itemParameters(req.url ?? "") : undefined;
    if (params === undefined) app(req, res);
    else read(Object.assign(req, { params }), res);
  };
}

/** Namespace and key as express would decode them; undefined = express has to judge the target. */
export function itemParameters(target: string): PathParameters | undefined {
  const found = ITEM_TARGET.exec(target);
  if (found === null) return undefined;
  const [, ns = "", key = ""] = found;
  if (!target.includes("%")) return { ns, key };
  try {
    return { ns: decodeURIComponent(ns), key: decodeURIComponent(key) };
  } catch {
    return undefined;
  }
}
