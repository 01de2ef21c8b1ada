import type {
  KeywordAnswer,
  KeywordHit,
  KeywordQuery,
  KeywordRequest,
  RankedCandidate,
} from "../../keyword.ts";
import { refId } from "../../tier.ts";
import type { AuthorityContext } from "../authority-context.ts";
import type { Queryable } from "../database.ts";
import { criteriaOf } from "../search/criteria.ts";
import type { Criteria } from "../search/criteria.ts";
import { HitJudge, JUDGED_AT_ONCE_MIN, isPicky } from "./hit-judge.ts";
import type { Candidate, LiveHit } from "./live-hits.ts";
import { explainHits } from "./explain-hits.ts";
import { candidateOf, holdsAny, rankDocuments } from "./ranking.ts";
import type { Ranked, Ranking } from "./ranking.ts";
import { readSnapshot } from "./word-snapshot.ts";
import type { WordSnapshot } from "./word-snapshot.ts";

/** Candidates of one search that are compared with their items, at most. */
const JUDGED_MAX = 10_000;
/** A ranking that did not fill the page is made again, so many times as long. */
const WIDENING = 4;
/** Beyond the page, so that the next one is known. */
const SPARE = 20;

/** Search by words, each in one snapshot. */
export class WordSearch {
  readonly #context: AuthorityContext;

  constructor(context: AuthorityContext) {
    this.#context = context;
  }

  search(request: KeywordRequest): Promise<KeywordAnswer> {
    return this.#inSnapshot((tx) => this.#search(tx, request));
  }

  resolve(
    query: KeywordQuery & { readonly candidates: readonly RankedCandidate[] },
  ): Promise<{ readonly hits: readonly KeywordHit[]; readonly used: number }> {
    return this.#inSnapshot((tx) => this.#resolve(tx, query));
  }

  #inSnapshot<T>(work: (tx: Queryable) => Promise<T>): Promise<T> {
    const options = { isolation: "repeatable read", readOnly: true } as const;
    return this.#context.database.transaction(work, options);
  }

  async #search(tx: Queryable, request: KeywordRequest): Promise<KeywordAnswer> {
    const snapshot = await readSnapshot(tx, this.#context.schema, request);
    const criteria = criteriaOf(request.criteria ?? {}, this.#context.limits);
    const judge = new HitJudge<Ranked>(tx, this.#context, {
      query: request,
      criteria,
      anyVersion: false,
      hitOf: rankedHit,
      seen: seenItems(request),
    });
    let count = firstCount(request, criteria);
    for (;;) {
      const ranking = await rankDocuments(snapshot, request, count);
      await judge.judge(ranking.ranked.slice(0, JUDGED_MAX));
      if (judge.isFull || ranking.complete || judge.judged >= JUDGED_MAX)
        return answerOf(snapshot, request, {
          ranking,
          judged: judge.judged,
          hits: request.explain === true ? await explainHits(snapshot, judge.hits) : judge.hits,
        });
      count = Math.max(count, ranking.ranked.length) * WIDENING;
    }
  }

  async #resolve(
    tx: Queryable,
    query: KeywordQuery & { readonly candidates: readonly RankedCandidate[] },
  ): Promise<{ readonly hits: readonly KeywordHit[]; readonly used: number }> {
    const judge = new HitJudge<{ candidate: Candidate; score: number }>(tx, this.#context, {
      query,
      criteria: criteriaOf(query.criteria ?? {}, this.#context.limits),
      anyVersion: true,
      hitOf: ({ score }, live) => resolvedHit(query, score, live),
      seen: new Set(),
    });
    const ranked = query.candidates.map((one) => ({
      candidate: "document" in one ? one.document : { ...one.item, version: 0 },
      score: one.score,
    }));
    await judge.judge(ranked);
    return { hits: judge.hits, used: judge.judged };
  }
}

/** How many documents must be exact at first: rare terms alone often give these. */
function firstCount({ limit, keep }: KeywordRequest, criteria: Criteria): number {
  if (isPicky(criteria)) return Math.max(JUDGED_AT_ONCE_MIN, limit * WIDENING);
  return keep === undefined ? limit : limit * 2 + SPARE;
}

function seenItems({ after }: KeywordRequest): ReadonlySet<string> {
  const ids = new Set<string>();
  for (const one of after?.seen ?? []) if (typeof one !== "number") ids.add(refId(one));
  return ids;
}

function rankedHit(one: Ranked, { document, record }: LiveHit): KeywordHit {
  const { score, length, facts } = one;
  return { ...document, ...facts, score, length, ...(record && { record }) };
}

/** It may say something else by now. */
function resolvedHit(
  { reader, terms }: KeywordQuery,
  score: number,
  { document, record }: LiveHit,
): KeywordHit | undefined {
  const read = record && reader.read(record);
  if (read === undefined || !holdsAny(read.terms, terms)) return undefined;
  const { length } = read.terms;
  return { ...document, score, length, ...(record && { record }) };
}

function answerOf(
  snapshot: WordSnapshot,
  request: KeywordRequest,
  {
    ranking,
    judged,
    hits,
  }: {
    readonly ranking: Ranking;
    readonly judged: number;
    readonly hits: readonly KeywordHit[];
  },
): KeywordAnswer {
  const following = ranking.ranked.slice(judged);
  const keep = request.keep ?? 0;
  const { statistics, lag } = snapshot;
  return {
    hits,
    following: following.slice(0, keep).map(candidateOf),
    complete: ranking.complete && following.length <= keep,
    statistics,
    ...(lag === undefined ? {} : { lag }),
    plan: ranking.plan,
  };
}
