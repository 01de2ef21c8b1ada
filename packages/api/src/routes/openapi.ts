import type { Call } from "../http/call.ts";
import type { Route } from "../http/route.ts";
import { openApiDocument } from "../openapi/document.ts";

/** The route of the document, which describes itself too. */
export function openApiRoute(others: readonly Route[]): Route {
  let text: string | undefined;
  const route: Route = {
    method: "GET",
    path: "/openapi.json",
    access: "open",
    handle: (call: Call): void => {
      text ??= JSON.stringify(openApiDocument([...others, route]), undefined, 2);
      call.send(200, ["Content-Type", "application/json"], text);
    },
    operation: {
      operationId: "openapi",
      summary: "This document",
      tags: ["operation"],
      responses: {
        "200": {
          description: "OpenAPI 3.1.",
          content: { "application/json": { schema: { type: "object" } } },
        },
      },
    },
  };
  return route;
}
