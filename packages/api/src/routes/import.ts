import { checkContentType, itemBodyBytesMax } from "../http/body.ts";
import type { Call } from "../http/call.ts";
import { readLines } from "../http/lines.ts";
import { readQuery } from "../http/query.ts";
import type { Route } from "../http/route.ts";
import { inSession, sessionParameter } from "../http/session.ts";
import { jsonResponse, ref } from "../openapi/schema.ts";

const LINE_TYPES = ["application/x-ndjson", "application/ndjson", "application/jsonl"];

async function importItems(call: Call): Promise<void> {
  readQuery(call.target, []);
  checkContentType(call.req, LINE_TYPES);
  const lines = readLines(call.req, itemBodyBytesMax(call.context.limits));
  call.json(200, await call.session.importItems(lines));
}

export const importRoutes: readonly Route[] = [
  {
    method: "POST",
    path: "/v1/namespaces/{ns}/import",
    access: "writer",
    handle: importItems,
    operation: {
      operationId: "importItems",
      summary: "Write items, one a line, as an export gives them",
      description:
        "All or nothing per 1,000 lines. Items get new versions and keep expiresAt. Repeating it is harmless.",
      tags: ["transfer"],
      parameters: [sessionParameter],
      requestBody: {
        required: true,
        content: { "application/x-ndjson": { schema: ref("ExportLine") } },
      },
      responses: { "200": inSession(jsonResponse("What came in.", ref("ImportReceipt"))) },
    },
  },
];
