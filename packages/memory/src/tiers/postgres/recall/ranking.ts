import { topDocuments } from "../../../recall/keyword/top-documents.ts";
import type { ItemRef } from "../../../model/item.ts";
import type { DocumentFacts, KeywordPlan, KeywordRequest, RankedCandidate } from "../../keyword.ts";
import { refId } from "../../tier.ts";
import { countTerms } from "./document-rows.ts";
import type { FreshDocument } from "./document-rows.ts";
import type { Candidate } from "./live-hits.ts";
import { termScore } from "./word-snapshot.ts";
import type { WordSnapshot } from "./word-snapshot.ts";

/** One place of the ranking, scored in full. */
export interface Ranked {
  readonly candidate: Candidate;
  readonly score: number;
  readonly length: number;
  /** Of an item that is not indexed yet. */
  readonly facts: DocumentFacts;
}

export interface Ranking {
  /** Best first: exactly the beginning of the whole. */
  readonly ranked: readonly Ranked[];
  /** It is the whole. */
  readonly complete: boolean;
  readonly plan: KeywordPlan;
}

/** The first `count` documents of all, and up to `keep` more where they are known anyway. */
export async function rankDocuments(
  snapshot: WordSnapshot,
  request: Pick<KeywordRequest, "keep" | "after">,
  count: number,
): Promise<Ranking> {
  const { terms, statistics, counts, excluded } = snapshot;
  const tail = rankedTail(snapshot);
  const top = await topDocuments(snapshot.postings, {
    statistics,
    frequencies: terms.map((term) => statistics.frequencies.get(term) ?? 0),
    postings: counts,
    limit: count,
    keep: count + (request.keep ?? 0),
    excluded,
    rivals: tail.map(({ score }) => score),
    exhaustive: request.after !== undefined,
  });
  const indexed = top.entries.map((entry): Ranked => ({
    ...entry,
    candidate: entry.document,
    facts: {},
  }));
  const ranked = [...indexed, ...tail].toSorted(byRank);
  const exact = top.complete ? ranked.length : Math.max(count, top.entries.length);
  return {
    ranked: unseen(ranked.slice(0, exact), request.after),
    complete: top.complete,
    plan: {
      scanned: top.scanned.map((term) => terms[term] ?? ""),
      lookedUp: top.lookedUp.map((term) => terms[term] ?? ""),
      candidates: top.entries.length + tail.length,
      tail: snapshot.tail.length,
    },
  };
}

/** As others may give it back. */
export function candidateOf({ candidate, score }: Ranked): RankedCandidate {
  if (typeof candidate === "number") return { score, document: candidate };
  return { score, item: { namespace: candidate.namespace, key: candidate.key } };
}

function rankedTail(snapshot: WordSnapshot): readonly Ranked[] {
  const ranked: Ranked[] = [];
  for (const document of snapshot.tail) {
    const { frequencies } = document;
    const score = snapshot.terms.reduce(
      (sum, term) =>
        sum +
        termScore(snapshot, term, {
          length: document.length,
          occurrences: frequencies.get(term) ?? 0,
        }),
      0,
    );
    if (score <= 0) continue;
    const { namespace, key, version, length } = document;
    const candidate = { namespace, key, version };
    ranked.push({ candidate, score, length, facts: factsOf(document) });
  }
  return ranked;
}

function factsOf({ session, position, atMs, speaker }: FreshDocument): DocumentFacts {
  return {
    ...(session === undefined ? {} : { session }),
    ...(position === undefined ? {} : { position }),
    ...(atMs === undefined ? {} : { atMs }),
    ...(speaker === undefined ? {} : { speaker }),
  };
}

/** Those of one score by document, the unindexed ones last and by address. */
function byRank(a: Ranked, b: Ranked): number {
  if (a.score !== b.score) return b.score - a.score;
  const [idA, idB] = [numberOf(a), numberOf(b)];
  if (idA !== idB) return idA - idB;
  return addressOf(a) < addressOf(b) ? -1 : 1;
}

function numberOf({ candidate }: Ranked): number {
  return typeof candidate === "number" ? candidate : Number.MAX_VALUE;
}

function addressOf({ candidate }: Ranked): string {
  return typeof candidate === "number" ? "" : refId(candidate);
}

function unseen(ranked: readonly Ranked[], after: KeywordRequest["after"]): readonly Ranked[] {
  if (after === undefined) return ranked;
  const from = startBelow(ranked, after.below);
  const seen = new Set(after.seen.map(idOf));
  return ranked.slice(from).filter(({ candidate }) => !seen.has(idOf(candidate)));
}

/** Scores move a little while others write: the document itself is the place, as long as it is there. */
function startBelow(
  ranked: readonly Ranked[],
  below: NonNullable<KeywordRequest["after"]>["below"],
): number {
  if (below === undefined) return 0;
  const at = ranked.findIndex(({ candidate }) => candidate === below.document);
  if (at >= 0) return at + 1;
  const lower = ranked.findIndex(({ score }) => score < below.score);
  return lower >= 0 ? lower : ranked.length;
}

function idOf(candidate: number | ItemRef): number | string {
  return typeof candidate === "number" ? candidate : refId(candidate);
}

/** Whether a text of these terms is an answer to the query. */
export function holdsAny(terms: readonly string[], wanted: readonly string[]): boolean {
  const counts = countTerms(terms);
  return wanted.some((term) => counts.has(term));
}
