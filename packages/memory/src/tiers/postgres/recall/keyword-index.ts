import type {
  DocumentReader,
  IndexedDocument,
  IndexStep,
  KeywordAnswer,
  KeywordHit,
  KeywordIndex,
  KeywordQuery,
  KeywordRequest,
  KeywordScope,
  Neighbours,
  RankedCandidate,
} from "../../keyword.ts";
import type { ItemRef } from "../../../model/item.ts";
import type { AuthorityContext } from "../authority-context.ts";
import type { SettledLog } from "../settled-log.ts";
import { Indexer } from "./indexer.ts";
import { readNeighbours } from "./neighbours.ts";
import { readSessions } from "./session-documents.ts";
import { WordSearch } from "./word-search.ts";

/** Search by words in the authority's own database. */
export class PostgresKeywordIndex implements KeywordIndex {
  readonly #context: AuthorityContext;
  readonly #search: WordSearch;
  readonly #indexer: Indexer;

  constructor(context: AuthorityContext, log: SettledLog) {
    this.#context = context;
    this.#search = new WordSearch(context);
    this.#indexer = new Indexer(context, log);
  }

  search(request: KeywordRequest): Promise<KeywordAnswer> {
    return this.#search.search(request);
  }

  resolve(
    query: KeywordQuery & { readonly candidates: readonly RankedCandidate[] },
  ): Promise<{ readonly hits: readonly KeywordHit[]; readonly used: number }> {
    return this.#search.resolve(query);
  }

  neighbours(
    request: KeywordScope & {
      readonly documents: readonly number[];
      readonly before: number;
      readonly after: number;
    },
  ): Promise<readonly Neighbours[]> {
    return readNeighbours(this.#context.database, this.#context.schema, request);
  }

  sessions(request: Parameters<KeywordIndex["sessions"]>[0]): Promise<readonly IndexedDocument[]> {
    return readSessions(this.#context.database, this.#context.schema, request);
  }

  forget(refs: readonly ItemRef[]): Promise<void> {
    return this.#indexer.forget(refs);
  }

  advance(reader: DocumentReader, bounds: { readonly changes: number }): Promise<IndexStep> {
    return this.#indexer.advance(reader, bounds);
  }
}
