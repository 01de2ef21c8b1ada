import { termWeight, inverseDocumentFrequency } from "../../../recall/keyword/bm25.ts";
import type { DocumentReader, IndexLag, KeywordScope, KeywordStatistics } from "../../keyword.ts";
import type { BoundSchema } from "../bound-schema.ts";
import type { Queryable } from "../database.ts";
import { readFresh } from "./document-rows.ts";
import type { FreshDocument } from "./document-rows.ts";
import { readIndexState } from "./index-state.ts";
import type { IndexState } from "./index-state.ts";
import { Postings } from "./postings.ts";
import { readScope } from "./scope.ts";
import { isCleared, readTail } from "./tail.ts";
import type { Tail } from "./tail.ts";

/** Bodies that a search reads of what is not indexed yet. */
const TAIL_BYTES_MAX = 16 * 1024 * 1024;

/** All that one search knows of its scope, as of one snapshot. */
export interface WordSnapshot {
  readonly terms: readonly string[];
  readonly postings: Postings;
  /** Documents that hold each term, those that do not count too. */
  readonly counts: readonly number[];
  /** Indexed documents that do not count any more. */
  readonly excluded: ReadonlySet<number>;
  /** Items that changed since the index's position, as they are now. */
  readonly tail: readonly FreshDocument[];
  readonly statistics: KeywordStatistics;
  readonly lag: IndexLag | undefined;
}

/**
 * In a repeatable read. What is indexed is what the items said when their changes up to the position
 * had been read; items with changes beyond it are read here and take the place of their documents.
 */
export async function readSnapshot(
  tx: Queryable,
  schema: BoundSchema,
  request: KeywordScope & { readonly reader: DocumentReader; readonly terms: readonly string[] },
): Promise<WordSnapshot> {
  const { namespace, below, reader } = request;
  const terms = [...new Set(request.terms)];
  const state = await readIndexState(tx, schema);
  const tail = await readTail(tx, schema, { namespace, below, after: state.position });
  const fresh = await readFresh(tx, schema, { refs: tail.refs, reader, bytesMax: TAIL_BYTES_MAX });
  const indexed = (await readScope(tx, schema, request)).filter(
    (one) => !isCleared(tail, one.namespace),
  );
  const postings = new Postings(tx, schema, { namespaceIds: indexed.map(({ id }) => id), terms });
  const counts = await postings.count();
  const numbers = new Map(indexed.map((one) => [one.namespace, one.id]));
  const excluded = await postings.excluded({
    nowMs: state.nowMs,
    changed: tail.refs.flatMap((ref) => {
      const namespaceId = numbers.get(ref.namespace);
      return namespaceId === undefined ? [] : [{ namespaceId, key: ref.key }];
    }),
  });
  return {
    terms,
    postings,
    counts,
    excluded: new Set(excluded.map(({ document }) => document)),
    tail: fresh.documents,
    statistics: statisticsOf({ terms, counts, indexed, excluded, tail: fresh.documents }),
    lag: lagOf(state, tail, { reader, unread: fresh.unread }),
  };
}

/** What is indexed, less what no longer counts, and what is not indexed yet. */
function statisticsOf(of: {
  readonly terms: readonly string[];
  readonly counts: readonly number[];
  readonly indexed: readonly { readonly documents: number; readonly terms: number }[];
  readonly excluded: readonly { readonly length: number; readonly terms: readonly string[] }[];
  readonly tail: readonly FreshDocument[];
}): KeywordStatistics {
  const { indexed, excluded, tail } = of;
  const frequencies = new Map(of.terms.map((term, at) => [term, of.counts[at] ?? 0]));
  const count = (term: string, by: number): void => {
    const known = frequencies.get(term);
    if (known !== undefined) frequencies.set(term, known + by);
  };
  for (const { terms } of excluded) for (const term of terms) count(term, -1);
  for (const { frequencies: own } of tail) for (const term of own.keys()) count(term, 1);
  const documents = sum(indexed, (one) => one.documents) - excluded.length + tail.length;
  const length =
    sum(indexed, (one) => one.terms) -
    sum(excluded, (one) => one.length) +
    sum(tail, (one) => one.length);
  return { documents, averageLength: documents > 0 ? length / documents : 0, frequencies };
}

/** What a term adds to the score of a document. */
export function termScore(
  { statistics }: Pick<WordSnapshot, "statistics">,
  term: string,
  of: { readonly occurrences: number; readonly length: number },
): number {
  const { documents, averageLength, frequencies } = statistics;
  const idf = inverseDocumentFrequency(documents, frequencies.get(term) ?? 0);
  return idf * termWeight(of.occurrences, of.length, averageLength);
}

function lagOf(
  state: IndexState,
  tail: Tail,
  { reader, unread }: { readonly reader: DocumentReader; readonly unread: number },
): IndexLag | undefined {
  const changes = tail.unseen + unread;
  const isOther = state.reader !== undefined && state.reader !== "" && state.reader !== reader.id;
  const isRebuilding = state.lag.rebuilding === true || isOther;
  if (changes === 0 && !isRebuilding) return undefined;
  const { seconds } = state.lag;
  return { changes, seconds, ...(isRebuilding ? { rebuilding: true } : {}) };
}

function sum<T>(list: readonly T[], of: (one: T) => number): number {
  return list.reduce((total, one) => total + of(one), 0);
}
