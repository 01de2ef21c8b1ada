import type { IncomingMessage } from "node:http";
import type { ReadOptions } from "@cherry-ai/memory";
import { invalid } from "../http/fields.ts";
import { queryNumber, readQuery } from "../http/query.ts";
import { query } from "../openapi/schema.ts";
import type { ParameterObject } from "../openapi/schema.ts";

const MAX_STALENESS_MS_MAX = 3_600_000;
const NO_CACHE = /(?:^|[\s,])no-cache(?:$|[\s,])/i;
const PARAMETERS: readonly string[] = ["consistency", "maxStalenessMs"];

export const readParameters: readonly ParameterObject[] = [
  query("consistency", "latest asks the authority; so does Cache-Control: no-cache.", {
    type: "string",
    enum: ["any", "latest"],
    default: "any",
  }),
  query("maxStalenessMs", "For this read: how old a copy may be while the store is away.", {
    type: "integer",
    minimum: 0,
    maximum: MAX_STALENESS_MS_MAX,
  }),
];

/** How fresh the answer must be; undefined = the server's own bound. */
export function readOptions(req: IncomingMessage): ReadOptions | undefined {
  const control = req.headers["cache-control"];
  const target = req.url ?? "";
  // Most reads ask for nothing special, and this is the hottest path of the server.
  if (control === undefined && !target.includes("?")) return undefined;
  const parameters = readQuery(target, PARAMETERS);
  const consistency = parameters.get("consistency");
  if (consistency !== undefined && consistency !== "any" && consistency !== "latest")
    throw invalid("consistency", "any or latest", consistency);
  const maxStalenessMs = queryNumber(parameters, "maxStalenessMs", MAX_STALENESS_MS_MAX);
  const fresh = consistency === "latest" || (control !== undefined && NO_CACHE.test(control));
  return {
    ...(fresh ? { consistency: "latest" } : {}),
    ...(maxStalenessMs === undefined ? {} : { maxStalenessMs }),
  };
}
