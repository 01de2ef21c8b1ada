import type { KeywordHit, KeywordQuery } from "../../keyword.ts";
import { refId } from "../../tier.ts";
import type { AuthorityContext } from "../authority-context.ts";
import type { Queryable } from "../database.ts";
import type { Criteria } from "../search/criteria.ts";
import { measuredBytes } from "../search/measured-page.ts";
import { liveHits } from "./live-hits.ts";
import type { Candidate, LiveHit } from "./live-hits.ts";

/** Where criteria may refuse most, so many are judged at once at least. */
export const JUDGED_AT_ONCE_MIN = 200;

/** Whether there is anything that a live candidate may fail. */
export function isPicky({ pattern, filter, tags }: Criteria): boolean {
  return pattern !== undefined || filter !== undefined || tags.length > 0;
}

export interface JudgeOptions<T> {
  readonly query: KeywordQuery;
  readonly criteria: Criteria;
  /** Takes items that were written since they were scored. */
  readonly anyVersion: boolean;
  /** What makes a live candidate a hit; undefined: it is none after all. */
  readonly hitOf: (one: T, live: LiveHit) => KeywordHit | undefined;
  /** Addresses of items that were given before. */
  readonly seen: ReadonlySet<string>;
}

/** Goes along a ranking and keeps what is alive and wanted, until the page is full. */
export class HitJudge<T extends { readonly candidate: Candidate }> {
  readonly hits: KeywordHit[] = [];
  /** How much of the ranking was looked at. */
  judged = 0;
  isFull = false;
  readonly #tx: Queryable;
  readonly #context: AuthorityContext;
  readonly #options: JudgeOptions<T>;
  #bytes = 0;

  constructor(tx: Queryable, context: AuthorityContext, options: JudgeOptions<T>) {
    this.#tx = tx;
    this.#context = context;
    this.#options = options;
  }

  /** Goes on where it stopped: the ranking begins as the one before did. */
  async judge(ranked: readonly T[]): Promise<void> {
    while (!this.isFull && this.judged < ranked.length) await this.#judgeSome(ranked);
  }

  async #judgeSome(ranked: readonly T[]): Promise<void> {
    const { schema, clock } = this.#context;
    const { query, criteria, anyVersion } = this.#options;
    const wanted = query.limit - this.hits.length;
    const atOnce = isPicky(criteria) ? Math.max(wanted, JUDGED_AT_ONCE_MIN) : wanted;
    const some = ranked.slice(this.judged, this.judged + atOnce);
    const { hits, judged } = await liveHits(this.#tx, schema, {
      scope: query,
      candidates: some.map(({ candidate }) => candidate),
      criteria,
      limit: wanted,
      brings: query.measure !== undefined || anyVersion ? "records" : "refs",
      anyVersion,
      sentAtMs: clock.monotonicMs(),
    });
    for (const live of hits) {
      const one = some[live.place];
      if (one === undefined || !this.#take(one, live)) {
        this.isFull = true;
        this.judged += live.place;
        return;
      }
    }
    this.judged += judged;
    this.isFull = this.hits.length >= query.limit;
  }

  /** False: the page has no room for it. */
  #take(one: T, live: LiveHit): boolean {
    const { query, hitOf, seen } = this.#options;
    if (seen.has(refId(live.document))) return true;
    const hit = hitOf(one, live);
    if (hit === undefined) return true;
    if (query.measure !== undefined && live.record !== undefined)
      this.#bytes += measuredBytes(live.record.body, query.measure);
    const isOver = query.measure !== undefined && this.#bytes > query.measure.bytesMax;
    if (isOver && this.hits.length > 0) return false;
    this.hits.push(hit);
    return true;
  }
}
