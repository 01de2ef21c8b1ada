import type { IncomingMessage } from "node:http";
import { invalid } from "./fields.ts";
import type { Route } from "./route.ts";

const CONDITIONS = [
  ["If-Match", "if-match"],
  ["If-None-Match", "if-none-match"],
] as const;

/**
 * The route behind a refusal of what its documentation does not name and it would ignore: a body,
 * such as a condition that was meant for a header, or a condition on a write.
 */
export function strict(route: Route): Route {
  const { operation, method, handle } = route;
  const takesBody = operation.requestBody !== undefined;
  const named = new Set(operation.parameters?.map(({ name }) => name));
  const refused = method === "GET" ? [] : CONDITIONS.filter(([name]) => !named.has(name));
  return {
    ...route,
    handle: (call) => {
      const { headers } = call.req;
      if (!takesBody && bringsBody(headers)) throw invalid("body", "none on this route", "some");
      for (const [name, header] of refused)
        if (headers[header] !== undefined)
          throw invalid(name, "no such header on this route", headers[header]);
      return handle(call);
    },
  };
}

/** RFC 9112, 6: one of the two headers says that there is a body. */
function bringsBody(headers: IncomingMessage["headers"]): boolean {
  const length = headers["content-length"];
  if (length !== undefined && Number(length) > 0) return true;
  return headers["transfer-encoding"] !== undefined;
}
