import type { KeywordHit } from "../../keyword.ts";
import { refId } from "../../tier.ts";
import { termScore } from "./word-snapshot.ts";
import type { WordSnapshot } from "./word-snapshot.ts";

/** The same hits, each with what every term that it holds adds to its score. */
export async function explainHits(
  snapshot: WordSnapshot,
  hits: readonly KeywordHit[],
): Promise<readonly KeywordHit[]> {
  const { terms, postings, tail } = snapshot;
  const documents = hits
    .map(({ document }) => document)
    .filter((document) => document !== undefined);
  const lists = await postings.lookUp([...terms.keys()], documents);
  const indexed = new Map(documents.map((document) => [document, new Map<string, number>()]));
  lists.forEach((list, place) => {
    list.documents.forEach((document, at) => {
      indexed.get(document)?.set(terms[place] ?? "", list.frequencies[at] ?? 0);
    });
  });
  const unindexed = new Map(tail.map((document) => [refId(document), document.frequencies]));
  return hits.map((hit) => {
    const own = hit.document === undefined ? unindexed.get(refId(hit)) : indexed.get(hit.document);
    const termScores = new Map<string, number>();
    for (const term of terms) {
      const occurrences = own?.get(term) ?? 0;
      const { length } = hit;
      if (occurrences > 0) termScores.set(term, termScore(snapshot, term, { occurrences, length }));
    }
    return { ...hit, termScores };
  });
}
