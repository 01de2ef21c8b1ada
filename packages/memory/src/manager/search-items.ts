import { MemoryError } from "../model/errors.ts";
import { checkPattern } from "../model/glob.ts";
import { parseFilter } from "../model/parse-filter.ts";
import { checkTags } from "../model/value.ts";
import type { Limits } from "../model/limits.ts";
import type { AuthorityTier, SearchRequest } from "../tiers/authority.ts";
import type { KeywordIndex } from "../tiers/keyword.ts";
import { NO_TAGS } from "./core.ts";
import { checkPageLimit } from "./inputs.ts";
import type { SearchOptions, SearchPage } from "./memory.ts";
import { decodeRecord } from "./decode-record.ts";
import { presentItem } from "./present.ts";
import { checkQuery, searchWords } from "./recall/search-words.ts";
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

/** Throws where this server cannot search so. */
function wordsOf(
  { keywords }: AuthorityTier,
  mode: NonNullable<SearchOptions["mode"]>,
): KeywordIndex {
  if (mode !== "keyword")
    throw new MemoryError(
      "CAPABILITY_UNAVAILABLE",
      `mode: no tier of this server searches by meaning, which ${mode} needs; search by "keyword"`,
      { field: "mode" },
    );
  if (keywords !== undefined) return keywords;
  throw new MemoryError(
    "CAPABILITY_UNAVAILABLE",
    "query: no tier of this server searches by words; search by pattern, metadataFilter or tags",
    { field: "query" },
  );
}

/** One page of the live items that match, from the authority: nothing deleted, nothing expired. */
export async function searchItems(
  parts: Parts,
  namespace: string,
  options: SearchOptions,
): Promise<SearchPage> {
  const { core } = parts;
  const request = checkSearch(namespace, options, core.config.limits);
  const { codec } = core;
  const measure = {
    bytesOf: (body: Uint8Array): number => codec.valueBytes(body),
    bytesMax: PAGE_BYTES_MAX,
  };
  if (options.query !== undefined) {
    const query = checkQuery(options.query);
    const index = wordsOf(core.authority, options.mode ?? "keyword");
    return searchWords(parts, index, { ...request, measure, query });
  }
  const page = await core.authority.search({ ...request, measure });
  const tier = core.authority.name;
  return {
    items: page.records.map((record) =>
      presentItem(core, {
        tier,
        record: decodeRecord(core.codec, record),
        encoded: record,
        copy: false,
      }),
    ),
    ...(page.nextCursor === undefined ? {} : { nextCursor: page.nextCursor }),
    ...(page.plan === undefined ? {} : { explain: page.plan }),
  };
}
