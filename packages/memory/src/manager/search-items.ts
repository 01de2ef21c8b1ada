import { MemoryError } from "../model/errors.ts";
import { checkPattern } from "../model/glob.ts";
import { parseFilter } from "../model/parse-filter.ts";
import { checkTags } from "../model/value.ts";
import type { Limits } from "../model/limits.ts";
import type { SearchRequest } from "../tiers/authority.ts";
import { NO_TAGS } from "./core.ts";
import { checkPageLimit } from "./inputs.ts";
import type { SearchOptions, SearchPage } from "./memory.ts";
import { presentItem } from "./present.ts";
import type { Parts } from "./runtime.ts";

/** Bytes of JSON on one page; what is left comes with the cursor. */
const PAGE_BYTES_MAX = 16 * 1024 * 1024;

function checkSearch(namespace: string, options: SearchOptions, limits: Limits): SearchRequest {
  const { pattern, metadataFilter, tags, cursor, below, explain } = options;
  if (cursor !== undefined && typeof cursor !== "string")
    throw new MemoryError("INVALID_CURSOR", "cursor: expected text", { field: "cursor" });
  if (metadataFilter !== undefined) parseFilter(metadataFilter, limits);
  return {
    namespace,
    below: below ?? false,
    pattern: pattern === undefined ? undefined : checkPattern(pattern, limits),
    metadataFilter,
    tags: tags === undefined ? NO_TAGS : checkTags(tags, limits),
    limit: checkPageLimit(options.limit, limits),
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
  const { codec } = core;
  const measure = {
    bytesOf: (body: Uint8Array): number => codec.valueBytes(body),
    bytesMax: PAGE_BYTES_MAX,
  };
  const page = await core.authority.search({ ...request, measure });
  const tier = core.authority.name;
  return {
    items: page.records.map((record) =>
      presentItem(core, { tier, record: read.decode(record), encoded: record, copy: false }),
    ),
    ...(page.nextCursor === undefined ? {} : { nextCursor: page.nextCursor }),
    ...(page.plan === undefined ? {} : { explain: page.plan }),
  };
}
