import type { IncomingMessage } from "node:http";
import type { Consistency, ReadOptions } from "@cherry-ai/memory";
import { invalid } from "../http/fields.ts";
import { queryNumber, readQuery } from "../http/query.ts";
import { query } from "../openapi/schema.ts";
import type { ParameterObject } from "../openapi/schema.ts";

const MAX_STALENESS_MS_MAX = 3_600_000;
const NO_CACHE = /(?:^|[\s,])no-cache(?:$|[\s,])/i;
const PARAMETERS: readonly string[] = ["consistency", "maxStalenessMs"];

export const consistencyParameter: ParameterObject = query(
  "consistency",
  "session shows nothing older than the session has seen (X-Cherry-Session); any only keeps to the server's bound; latest asks the authority, and so does Cache-Control: no-cache on a GET.",
  { type: "string", enum: ["any", "session", "latest"], default: "session" },
);

export const readParameters: readonly ParameterObject[] = [
  consistencyParameter,
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
  const consistency = consistencyIn(parameters);
  const maxStalenessMs = queryNumber(parameters, "maxStalenessMs", MAX_STALENESS_MS_MAX);
  const isFresh = control !== undefined && NO_CACHE.test(control);
  const level = isFresh ? "latest" : consistency;
  return {
    ...(level === undefined ? {} : { consistency: level }),
    ...(maxStalenessMs === undefined ? {} : { maxStalenessMs }),
  };
}

/** The same for a call whose only parameter it is. */
export function consistencyOption(target: string): { readonly consistency?: Consistency } {
  const consistency = consistencyIn(readQuery(target, ["consistency"]));
  return consistency === undefined ? {} : { consistency };
}

function consistencyIn(parameters: ReadonlyMap<string, string>): Consistency | undefined {
  const consistency = parameters.get("consistency");
  switch (consistency) {
    case undefined:
    case "any":
    case "session":
    case "latest":
      return consistency;
    default:
      throw invalid("consistency", "any, session or latest", consistency);
  }
}
