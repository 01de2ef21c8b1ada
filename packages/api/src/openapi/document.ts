import type { Route } from "../http/route.ts";
import { SCHEMAS } from "./components.ts";
import type { OperationObject, ParameterObject } from "./schema.ts";

const PATH_PARAMETERS: { readonly [name: string]: Omit<ParameterObject, "name" | "in"> } = {
  ns: {
    required: true,
    description:
      "Namespace: segments joined by /, percent-encoded as one URL segment (acme%2Fagent-7). %2F alone is the root.",
    schema: { type: "string", maxLength: 512 },
  },
  key: {
    required: true,
    description: "Key, percent-encoded as one URL segment.",
    schema: { type: "string", minLength: 1, maxLength: 1024 },
  },
  id: { required: true, description: "Id of the job.", schema: { type: "string" } },
};

function pathParameters(path: string): ParameterObject[] {
  return [...path.matchAll(/\{(\w+)\}/g)].map(([, name = ""]) => {
    const known = PATH_PARAMETERS[name];
    if (known === undefined) throw new Error(`the path parameter ${name} is not documented`);
    return { name, in: "path", ...known };
  });
}

function operationOf(route: Route): OperationObject & { readonly security?: readonly object[] } {
  const { operation } = route;
  return {
    ...operation,
    parameters: [...pathParameters(route.path), ...(operation.parameters ?? [])],
    responses: { ...operation.responses, default: { $ref: "#/components/responses/Problem" } },
    ...(route.access === "open" ? { security: [] } : {}),
  };
}

/** The OpenAPI 3.1 document of these routes. */
export function openApiDocument(routes: readonly Route[]): object {
  const paths: { [path: string]: { [method: string]: unknown } } = {};
  for (const route of routes)
    (paths[route.path] ??= {})[route.method.toLowerCase()] = operationOf(route);
  return {
    openapi: "3.1.0",
    info: {
      title: "Cherry Memory",
      version: "0.1.0",
      description: "Coherent, durable, searchable memory for AI agents.",
      license: { name: "MIT", identifier: "MIT" },
    },
    servers: [{ url: "/" }],
    security: [{ token: [] }],
    paths,
    components: {
      securitySchemes: {
        token: {
          type: "http",
          scheme: "bearer",
          bearerFormat: "JWT",
          description:
            "Claims: sub, exp, scope (reader, writer, admin), ns (list of namespaces, each with all below it; * for all). Without a JWT setting no token is needed, on loopback only.",
        },
      },
      schemas: SCHEMAS,
      responses: {
        Problem: {
          description: "RFC 9457 problem.",
          content: {
            "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } },
          },
        },
      },
    },
  };
}
