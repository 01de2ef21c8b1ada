import { MemoryError } from "@cherry-ai/memory";
import type { SearchOptions } from "@cherry-ai/memory";
import { readJson } from "../http/body.ts";
import type { Call } from "../http/call.ts";
import { checkFields, flag, isObject, judgedLater, number, oneOf, text } from "../http/fields.ts";
import type { FieldCheck, Fields } from "../http/fields.ts";
import type { Route } from "../http/route.ts";
import { inSession, sessionParameter } from "../http/session.ts";
import { jsonBody, jsonResponse, ref } from "../openapi/schema.ts";
import { consistencyOption, consistencyParameter } from "./read-options.ts";

/** Filters and lists of keys are small; anything longer is a mistake. */
export const QUERY_BODY_BYTES_MAX: number = 2 * 1024 * 1024;

/** The filter language itself is judged by the memory, with the path of what is wrong. */
export const filterObject: FieldCheck = (value, field) => {
  if (!isObject(value))
    throw new MemoryError("INVALID_FILTER", `${field}: expected an object`, { field });
};

const SEARCH_FIELDS: Fields = new Map<string, FieldCheck>([
  ["pattern", judgedLater],
  ["metadataFilter", filterObject],
  ["tags", judgedLater],
  ["query", text],
  ["mode", oneOf(["keyword", "semantic", "hybrid"])],
  ["limit", number],
  ["cursor", text],
  ["explain", flag],
  ["below", flag],
]);

async function search(call: Call): Promise<void> {
  const consistency = consistencyOption(call.target);
  const fields = checkFields(await readJson(call, QUERY_BODY_BYTES_MAX), SEARCH_FIELDS);
  // checkFields has refused other names and types; the memory judges what is left unjudged.
  const page = await call.session.search({ ...(fields as SearchOptions), ...consistency });
  call.json(200, page);
}

export const searchRoutes: readonly Route[] = [
  {
    method: "POST",
    path: "/v1/namespaces/{ns}/search",
    access: "reader",
    handle: search,
    operation: {
      operationId: "search",
      summary: "Find items by words, pattern, metadata and tags",
      tags: ["search"],
      parameters: [consistencyParameter, sessionParameter],
      ...jsonBody("SearchRequest", { pattern: "user:*", limit: 10 }),
      responses: { "200": inSession(jsonResponse("A page.", ref("SearchResponse"))) },
    },
  },
];
