import type { ItemRecord } from "../../model/item.ts";
import type { ExportPageRequest, SearchRequest, SearchResult } from "../authority.ts";
import type { AuthorityContext } from "./authority-context.ts";
import { EVERYTHING, criteriaOf } from "./search/criteria.ts";
import { decodeCursor, encodeCursor, requestHash } from "./search/cursor.ts";
import type { Position } from "./search/cursor.ts";
import { measuredPage } from "./search/measured-page.ts";
import { findPage } from "./search/page-finder.ts";

/** Reads by selection rather than by key. */
export class Searcher {
  readonly #context: AuthorityContext;

  constructor(context: AuthorityContext) {
    this.#context = context;
  }

  async search(request: SearchRequest): Promise<SearchResult> {
    const { database, schema, clock, limits } = this.#context;
    const { namespace, below, limit, cursor, pattern, tags, measure } = request;
    const criteria = criteriaOf(request, limits);
    const hash = requestHash([namespace, below, pattern ?? null, criteria.filter ?? null, tags]);
    const position = cursor === undefined ? undefined : decodeCursor(cursor, hash);
    const whole = await findPage(database, schema, {
      namespace,
      below,
      criteria,
      position,
      limit,
      brings: "records",
      sentAtMs: clock.monotonicMs(),
    });
    const page = measure === undefined ? whole : measuredPage(whole, measure);
    const { access, residual, bounded, sql } = page;
    return {
      records: recordsOf(page.found),
      nextCursor: page.next === undefined ? undefined : encodeCursor(page.next, hash),
      ...(request.explain ? { plan: { access, residual, bounded, sql } } : {}),
    };
  }

  /** Goes on past stretches without a live item: an empty page is the end. */
  async exportPage(request: ExportPageRequest): Promise<readonly ItemRecord[]> {
    const { database, schema, clock } = this.#context;
    const { namespace, below, limit } = request;
    let position: Position | undefined =
      request.after === undefined ? undefined : { after: request.after, walks: true };
    for (;;) {
      const page = await findPage(database, schema, {
        namespace,
        below,
        criteria: EVERYTHING,
        position,
        limit,
        brings: "records",
        sentAtMs: clock.monotonicMs(),
      });
      position = page.next;
      if (position === undefined || page.found.length > 0) return recordsOf(page.found);
    }
  }
}

function recordsOf(found: readonly { readonly record: ItemRecord | undefined }[]): ItemRecord[] {
  return found.map(({ record }) => record).filter((record) => record !== undefined);
}
