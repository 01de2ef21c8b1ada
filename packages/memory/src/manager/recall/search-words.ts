import { createHash } from "node:crypto";
import { MemoryError } from "../../model/errors.ts";
import type { SearchRequest } from "../../tiers/authority.ts";
import type {
  IndexLag,
  KeywordAnswer,
  KeywordHit,
  KeywordIndex,
  KeywordQuery,
  RankedCandidate,
} from "../../tiers/keyword.ts";
import { decodeRecord } from "../decode-record.ts";
import type { QueryPlan, SearchPage } from "../memory.ts";
import { presentItem } from "../present.ts";
import type { Parts } from "../runtime.ts";
import { decodeRanking, encodeRanking, placeAfter } from "./ranking-cursor.ts";
import type { PinnedRanking } from "./ranking-cursor.ts";

/** Longer ones are texts, not questions. */
const QUERY_BYTES_MAX: number = 8 * 1024;
/** Of a ranking beyond the page so much is pinned. */
const PINNED_MAX = 1_000;
const HASH_LENGTH = 16;

export interface WordsRequest extends SearchRequest {
  readonly query: string;
}

/** What one page brings. */
interface Found {
  readonly hits: readonly KeywordHit[];
  readonly next: PinnedRanking;
  readonly lag: IndexLag | undefined;
  readonly answer: KeywordAnswer | undefined;
}

/** Refuses what is too long to be a question. */
export function checkQuery(query: string): string {
  const bytes = Buffer.byteLength(query);
  if (bytes <= QUERY_BYTES_MAX) return query;
  throw new MemoryError(
    "INVALID_ARGUMENT",
    `query: ${bytes} bytes, at most ${QUERY_BYTES_MAX} are taken; ask with the words that matter`,
    { field: "query" },
  );
}

/** One page of the items that answer a query by their words, best first. */
export async function searchWords(
  parts: Parts,
  index: KeywordIndex,
  request: WordsRequest,
): Promise<SearchPage> {
  const { core } = parts;
  const words = new QueryWords(parts, request.query);
  const hash = hashOf(request);
  const nowMs = core.clock.wallMs();
  const pinned =
    request.cursor === undefined ? undefined : decodeRanking(request.cursor, hash, nowMs);
  const { pattern, metadataFilter, tags, namespace, below, limit, measure } = request;
  const query: KeywordQuery = {
    namespace,
    below,
    limit,
    reader: core.reader,
    terms: words.terms,
    criteria: {
      ...(pattern === undefined ? {} : { pattern }),
      ...(metadataFilter === undefined ? {} : { metadataFilter }),
      tags,
    },
    ...(measure === undefined ? {} : { measure }),
  };
  const { explain } = request;
  const found =
    pinned === undefined
      ? await firstPage(index, query, { explain, nowMs })
      : await nextPage(index, query, { explain, pinned });
  const isEnd = found.next.used >= found.next.entries.length && !found.next.more;
  const tier = core.authority.name;
  return {
    items: found.hits.flatMap(({ record, score }) => {
      if (record === undefined) return [];
      const served = {
        tier,
        record: decodeRecord(core.codec, record),
        encoded: record,
        copy: false,
      };
      return [Object.freeze({ ...presentItem(core, served), score })];
    }),
    ...(isEnd ? {} : { nextCursor: encodeRanking(found.next, hash) }),
    ...(explain ? { explain: planOf(request, words, found) } : {}),
    ...(found.lag === undefined ? {} : { indexLag: found.lag }),
  };
}

async function firstPage(
  index: KeywordIndex,
  query: KeywordQuery,
  { explain, nowMs }: { readonly explain: boolean; readonly nowMs: number },
): Promise<Found> {
  const answer = await index.search({ ...query, explain, keep: PINNED_MAX });
  const { hits, following, complete, lag } = answer;
  // Where the ranking ends with these, what was shown need not be remembered.
  const shown = complete ? [] : hits.map(candidateOf);
  const next = {
    atMs: nowMs,
    entries: [...shown, ...following],
    used: shown.length,
    more: !complete,
  };
  return { hits, next, lag, answer };
}

/** Goes along what is pinned, and beyond it where the ranking was not known to its end. */
async function nextPage(
  index: KeywordIndex,
  query: KeywordQuery,
  { explain, pinned }: { readonly explain: boolean; readonly pinned: PinnedRanking },
): Promise<Found> {
  const left = pinned.entries.slice(pinned.used);
  const { hits, used } = await index.resolve({ ...query, candidates: left });
  const isFull = hits.length >= query.limit || used < left.length;
  if (isFull || !pinned.more) {
    const next = { ...pinned, used: pinned.used + used };
    return { hits, next, lag: undefined, answer: undefined };
  }
  const answer = await index.search({
    ...query,
    limit: query.limit - hits.length,
    explain,
    keep: PINNED_MAX,
    after: placeAfter(pinned),
  });
  const shown = answer.complete ? [] : answer.hits.map(candidateOf);
  const last = pinned.entries.findLast((entry) => "document" in entry);
  const next: PinnedRanking = {
    atMs: pinned.atMs,
    entries: [...shown, ...answer.following],
    used: shown.length,
    more: !answer.complete,
    ...(last === undefined ? {} : { below: { document: last.document, score: last.score } }),
  };
  return { hits: [...hits, ...answer.hits], next, lag: answer.lag, answer };
}

function candidateOf({ namespace, key, document, score }: KeywordHit): RankedCandidate {
  return document === undefined ? { item: { namespace, key }, score } : { document, score };
}

/** Binds a cursor to what was asked for: one of another request must not be taken. */
function hashOf(request: WordsRequest): string {
  const { namespace, below, pattern, metadataFilter, tags, query } = request;
  const asked = ["words", namespace, below, pattern ?? null, metadataFilter ?? null, tags, query];
  return createHash("sha256")
    .update(JSON.stringify(asked))
    .digest("base64url")
    .slice(0, HASH_LENGTH);
}

/** The terms of a query as they are indexed, and as people can read them. */
class QueryWords {
  readonly terms: readonly string[];
  readonly #plain: ReadonlyMap<string, string>;

  constructor({ core }: Parts, query: string) {
    this.terms = [...new Set(core.reader.terms(query))];
    const plain = [...new Set(core.reader.plainTerms(query))];
    this.#plain = new Map(this.terms.map((term, place) => [term, plain[place] ?? term]));
  }

  plain(term: string): string {
    return this.#plain.get(term) ?? term;
  }
}

function planOf(request: WordsRequest, words: QueryWords, { answer, hits }: Found): QueryPlan {
  const { pattern, metadataFilter, tags } = request;
  const residual = ["alive"];
  if (pattern !== undefined) residual.push("pattern");
  if (metadataFilter !== undefined) residual.push("metadataFilter");
  if (tags.length > 0) residual.push("tags");
  const named = (terms: readonly string[]): readonly string[] =>
    terms.map((term) => words.plain(term));
  return {
    access: "words",
    residual,
    documents: answer?.statistics.documents ?? 0,
    averageLength: answer?.statistics.averageLength ?? 0,
    terms: words.terms.map((term) => ({
      term: words.plain(term),
      documents: answer?.statistics.frequencies.get(term) ?? 0,
    })),
    scanned: named(answer?.plan.scanned ?? []),
    lookedUp: named(answer?.plan.lookedUp ?? []),
    unindexed: answer?.plan.tail ?? 0,
    items: hits.map(({ namespace, key, score, termScores }) => ({
      namespace,
      key,
      score,
      words: Object.fromEntries(
        [...(termScores ?? [])].map(([term, share]) => [words.plain(term), share]),
      ),
    })),
  };
}
