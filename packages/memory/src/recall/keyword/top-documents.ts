import type { CollectionStatistics } from "./bm25.ts";
import { DocumentScores } from "./document-scores.ts";
import type { ScoredEntry } from "./document-scores.ts";

/** Postings up to which all are scored: less than it costs to find out which could be left out. */
const EXHAUSTIVE_POSTINGS_MAX = 10_000;
/** Of the rarest terms, whose documents set the score that others must reach. */
const FIRST_POSTINGS = 2_000;

/** Documents that hold a term, as parallel arrays in any order. */
export interface PostingList {
  readonly documents: readonly number[];
  readonly frequencies: readonly number[];
  readonly lengths: readonly number[];
}

/** Terms go by their place in the query. Lists come in the order of the terms asked for. */
export interface PostingSource {
  scan(terms: readonly number[]): Promise<readonly PostingList[]>;
  /** Of these documents alone. */
  lookUp(terms: readonly number[], documents: readonly number[]): Promise<readonly PostingList[]>;
}

export interface TopRequest {
  readonly statistics: CollectionStatistics;
  /** Documents that hold each term. */
  readonly frequencies: readonly number[];
  /** So many must be exact. */
  readonly limit: number;
  /** So many are given where they are known anyway. */
  readonly keep: number;
  /** Documents that do not count; `statistics` and `frequencies` are without them. */
  readonly excluded: ReadonlySet<number>;
  /** Scores of documents that are in no posting: they compete for the same places. */
  readonly rivals: readonly number[];
  /** Postings there are, of the excluded too; by term. */
  readonly postings: readonly number[];
  /** Score all. */
  readonly exhaustive?: boolean;
}

export interface TopDocuments {
  /** Best first, then by document: exactly the first of all that hold a term. */
  readonly entries: readonly ScoredEntry[];
  /** They are all. */
  readonly complete: boolean;
  readonly scanned: readonly number[];
  readonly lookedUp: readonly number[];
}

/**
 * The best documents by BM25. Rare terms first: their documents are scored in full. A document that
 * holds none of them can only reach the sum of what the other terms give at most (their weight stays
 * below k1 + 1); once that is below the worst wanted score, the common terms are only looked up for
 * documents that could still reach it. The outcome is that of scoring every document.
 */
export async function topDocuments(
  source: PostingSource,
  request: TopRequest,
): Promise<TopDocuments> {
  const scores = new DocumentScores(request);
  const order = request.postings
    .map((_, term) => term)
    .filter((term) => (request.postings[term] ?? 0) > 0)
    .toSorted((a, b) => (request.postings[a] ?? 0) - (request.postings[b] ?? 0) || a - b);
  let count = firstTerms(order, request);
  let done = 0;
  for (;;) {
    const next = order.slice(done, count);
    scores.add(next, await source.scan(next));
    done = count;
    const rest = order.slice(done);
    if (rest.length === 0) return { ...scores.everything(), scanned: order, lookedUp: [] };
    const threshold = await raiseThreshold(source, scores, rest);
    count = done + essentialTerms(rest, { scores, threshold });
    if (count > done) continue;
    const open = scores.within(threshold - scores.upperBound(rest));
    await lookUp(source, scores, { rest, documents: open });
    return { ...scores.wanted(), scanned: order.slice(0, done), lookedUp: rest };
  }
}

function firstTerms(order: readonly number[], { postings, exhaustive }: TopRequest): number {
  const total = order.reduce((sum, term) => sum + (postings[term] ?? 0), 0);
  if (exhaustive === true || total <= EXHAUSTIVE_POSTINGS_MAX) return order.length;
  let count = 0;
  for (let sum = 0; count < order.length; count += 1) {
    sum += postings[order[count] ?? 0] ?? 0;
    if (count > 0 && sum > FIRST_POSTINGS) break;
  }
  return count;
}

/** Scores what looks best so far in full; the worst wanted of those is what all others must reach. */
async function raiseThreshold(
  source: PostingSource,
  scores: DocumentScores,
  rest: readonly number[],
): Promise<number> {
  await lookUp(source, scores, { rest, documents: scores.promising() });
  return scores.threshold();
}

/** How many of the remaining terms must be scanned too. They are in the order of rarity. */
function essentialTerms(
  rest: readonly number[],
  { scores, threshold }: { readonly scores: DocumentScores; readonly threshold: number },
): number {
  let count = 0;
  while (count < rest.length && scores.upperBound(rest.slice(count)) > threshold) count += 1;
  return count;
}

async function lookUp(
  source: PostingSource,
  scores: DocumentScores,
  { rest, documents }: { readonly rest: readonly number[]; readonly documents: readonly number[] },
): Promise<void> {
  if (documents.length === 0) return;
  scores.add(rest, await source.lookUp(rest, documents));
  scores.complete(documents);
}
