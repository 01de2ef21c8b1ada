import type { Call } from "../http/call.ts";
import type { Route } from "../http/route.ts";
import { jsonResponse, ref } from "../openapi/schema.ts";

function livez(call: Call): void {
  call.json(200, { status: "alive" });
}

/** Fails only before the first start and from the start of the drain, whatever is away. */
function readyz(call: Call): void {
  const { phase } = call.context.state;
  call.json(phase === "ready" ? 200 : 503, healthDocument(call));
}

/** For people and alarms: a fleet must not be emptied because a dependency is away. */
function health(call: Call): void {
  const document = healthDocument(call);
  call.json(document.status === "ready" ? 200 : 503, document);
}

function healthDocument({ context }: Call): { readonly status: string; readonly tiers: object } {
  const reports = context.memory.describeTiers();
  const tiers = reports.map(({ tier, status, reason, warning }) => ({
    tier,
    status,
    ...(reason === undefined ? {} : { reason }),
    ...(warning === undefined ? {} : { warning }),
  }));
  const { phase } = context.state;
  const degraded = phase === "ready" && reports.some(({ status }) => status === "degraded");
  return { status: degraded ? "degraded" : phase, tiers };
}

async function metrics(call: Call): Promise<void> {
  const { registry } = call.context;
  const text = await registry.metrics();
  call.send(200, ["Content-Type", registry.contentType], text);
}

export const probeRoutes: readonly Route[] = [
  {
    method: "GET",
    path: "/livez",
    access: "open",
    handle: livez,
    operation: {
      operationId: "livez",
      summary: "200 while the event loop turns",
      tags: ["operation"],
      responses: {
        "200": jsonResponse("Alive.", {
          type: "object",
          properties: { status: { const: "alive" } },
        }),
      },
    },
  },
  {
    method: "GET",
    path: "/readyz",
    access: "open",
    handle: readyz,
    operation: {
      operationId: "readyz",
      summary: "200 from the first start to the start of the drain, whatever dependency is away",
      tags: ["operation"],
      responses: {
        "200": jsonResponse("Ready.", ref("Health")),
        "503": jsonResponse("Starting or draining.", ref("Health")),
      },
    },
  },
  {
    method: "GET",
    path: "/health",
    access: "open",
    handle: health,
    operation: {
      operationId: "health",
      summary: "The same, 503 also when degraded",
      tags: ["operation"],
      responses: {
        "200": jsonResponse("All is well.", ref("Health")),
        "503": jsonResponse("Not all is well.", ref("Health")),
      },
    },
  },
  {
    method: "GET",
    path: "/metrics",
    access: "metrics",
    handle: metrics,
    operation: {
      operationId: "metrics",
      summary: "Metrics for Prometheus; from this machine, or with admin and ns *",
      tags: ["operation"],
      responses: {
        "200": {
          description: "Prometheus text.",
          content: { "text/plain": { schema: { type: "string" } } },
        },
      },
    },
  },
];
