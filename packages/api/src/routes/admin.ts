import type { Call } from "../http/call.ts";
import { readQuery } from "../http/query.ts";
import type { Route } from "../http/route.ts";
import { jsonResponse, ref } from "../openapi/schema.ts";

async function stats(call: Call): Promise<void> {
  readQuery(call.target, []);
  call.json(200, await call.context.memory.getStats());
}

async function optimize(call: Call): Promise<void> {
  readQuery(call.target, []);
  call.json(200, await call.context.memory.optimize());
}

async function explain(call: Call): Promise<void> {
  const { key } = call;
  readQuery(call.target, []);
  call.json(200, await call.memory.explain(key));
}

export const adminRoutes: readonly Route[] = [
  {
    method: "GET",
    path: "/v1/stats",
    access: "admin",
    handle: stats,
    operation: {
      operationId: "getStats",
      summary: "Figures of this server and its tiers",
      tags: ["operation"],
      responses: { "200": jsonResponse("Figures.", ref("Stats")) },
    },
  },
  {
    method: "POST",
    path: "/v1/optimize",
    access: "admin",
    handle: optimize,
    operation: {
      operationId: "optimize",
      summary: "Move and sweep now",
      tags: ["operation"],
      responses: { "200": jsonResponse("What moved.", ref("OptimizeReport")) },
    },
  },
  {
    method: "GET",
    path: "/v1/namespaces/{ns}/explain/{key}",
    access: "reader",
    handle: explain,
    operation: {
      operationId: "explain",
      summary: "Where an item lies, and why",
      tags: ["operation"],
      responses: { "200": jsonResponse("By tier.", ref("Explanation")) },
    },
  },
];
