import { MemoryError } from "../model/errors.ts";
import { checkPattern } from "../model/glob.ts";
import { parseFilter } from "../model/parse-filter.ts";
import { checkTags } from "../model/value.ts";
import type { Limits } from "../model/limits.ts";
import type { SearchRequest } from "../tiers/authority.ts";
import { NO_TAGS } from "./core.ts";
import type { SearchOptions, SearchPage } from "./memory.ts";
import { presentItem } from "./present.ts";
import type { Parts } from "./runtime.ts";

const MODES = new Set(["keyword", "semantic", "hybrid"]);

function refuse(field: string, message: string): never {
  throw new MemoryError("INVALID_ARGUMENT", `${field}: ${message}`, { field });
}

function checkLimit(limit: unknown, limits: Limits): number {
  if (limit === undefined) return limits.pageItemsDefault;
  if (
    typeof limit === "number" &&
    Number.isInteger(limit) &&
    limit >= 1 &&
    limit <= limits.pageItems
  )
    return limit;
  return refuse(
    "limit",
    `expected a whole number from 1 to ${limits.pageItems}, got ${JSON.stringify(limit)}`,
  );
}

function checkSearch(namespace: string, options: SearchOptions, limits: Limits): SearchRequest {
  const { pattern, metadataFilter, tags, query, mode, cursor, below, explain } = options;
  if (mode !== undefined && !MODES.has(mode))
    refuse("mode", `expected keyword, semantic or hybrid, got ${JSON.stringify(mode)}`);
  if (query !== undefined && typeof query !== "string") refuse("query", "expected text");
  if (cursor !== undefined && typeof cursor !== "string")
    throw new MemoryError("INVALID_CURSOR", "cursor: expected text", { field: "cursor" });
  if (metadataFilter !== undefined) parseFilter(metadataFilter, limits);
  return {
    namespace,
    below: below ?? false,
    pattern: pattern === undefined ? undefined : checkPattern(pattern, limits),
    metadataFilter,
    tags: tags === undefined ? NO_TAGS : checkTags(tags, limits),
    limit: checkLimit(options.limit, limits),
    cursor,
    explain: explain ?? false,
  };
}

/** One page of the live items that match, from the authority: nothing deleted, nothing expired. */
export async function searchItems(
  parts: Parts,
  namespace: string,
  options: SearchOptions,
): Promise<SearchPage> {
  const { core, read } = parts;
  const request = checkSearch(namespace, options, core.config.limits);
  if (options.query !== undefined)
    throw new MemoryError(
      "CAPABILITY_UNAVAILABLE",
      "query: no tier of this server searches by words or meaning; search by pattern, metadataFilter or tags",
      { field: "query" },
    );
  const page = await core.authority.search(request);
  const tier = core.authority.name;
  return {
    items: page.records.map((record) =>
      presentItem(core, { tier, record: read.decode(record), encoded: record, copy: false }),
    ),
    ...(page.nextCursor === undefined ? {} : { nextCursor: page.nextCursor }),
    ...(page.plan === undefined ? {} : { explain: page.plan }),
  };
}
