import { inverseDocumentFrequency, termWeight } from "../keyword/bm25.ts";
import type { Layout } from "./layout.ts";
import { holders, type TermTable } from "./term-table.ts";
import type { RankingInput } from "./turn.ts";

/** A term of the question and how rare it is in the namespaces searched. */
export interface RatedTerm {
  readonly term: string;
  readonly idf: number;
}

/** The question's terms without those left out; all of them where nothing else would remain. */
export function rateTerms(input: RankingInput, leftOut: ReadonlySet<string>): RatedTerm[] {
  const { question, frequencies, statistics } = input;
  const kept = question.terms.filter((term) => !leftOut.has(term));
  return (kept.length === 0 ? question.terms : kept).map((term) => ({
    term,
    idf: inverseDocumentFrequency(statistics.documents, frequencies.get(term) ?? 0),
  }));
}

/**
 * About what a text gets that holds every term once. Scores are divided by it, so that a signal
 * which is not about words weighs the same against a question of two words and one of twelve.
 */
export function idfMass(terms: readonly RatedTerm[]): number {
  return terms.reduce((sum, { idf }) => sum + idf, 0) || 1;
}

/** BM25 of every text of the table, with the rarity given; rows of the table are the terms'. */
export function scoreTexts(
  terms: readonly RatedTerm[],
  table: TermTable,
  averageLength: number,
): Float64Array {
  const scores = new Float64Array(table.lengths.length);
  terms.forEach(({ idf }, slot) => {
    table.counts[slot]?.forEach((count, index) => {
      if (count === 0) return;
      const weight = termWeight(count, table.lengths[index] ?? 0, averageLength);
      scores[index] = (scores[index] ?? 0) + idf * weight;
    });
  });
  return scores;
}

/** BM25 with rarity and length among the texts of the table themselves. */
export function scoreAmong(terms: readonly RatedTerm[], table: TermTable): Float64Array {
  const count = table.lengths.length;
  const rated = terms.map(({ term }, slot) => ({
    term,
    idf: inverseDocumentFrequency(count, holders(table.counts[slot] ?? new Float64Array())),
  }));
  const averageLength = table.lengths.reduce((sum, each) => sum + each, 0) / Math.max(1, count);
  return scoreTexts(rated, table, averageLength);
}

/** Each turn with those around it, `reach` to both sides, as one text. */
export function windowTable(table: TermTable, layout: Layout, reach: number): TermTable {
  const sums = (row: Float64Array): Float64Array =>
    row.map((own, index) => {
      let sum = own;
      for (const links of [layout.before, layout.after]) {
        let at = links[index] ?? -1;
        for (let step = 0; step < reach && at >= 0; step += 1) {
          sum += row[at] ?? 0;
          at = links[at] ?? -1;
        }
      }
      return sum;
    });
  return { counts: table.counts.map(sums), lengths: sums(table.lengths) };
}

/** Each session, as far as it is here, as one text. */
export function sessionTable(table: TermTable, layout: Layout): TermTable {
  const gather = (row: Float64Array): Float64Array => {
    const sums = new Float64Array(layout.sessions);
    row.forEach((value, index) => {
      const session = layout.session[index] ?? -1;
      if (session >= 0) sums[session] = (sums[session] ?? 0) + value;
    });
    return sums;
  };
  return { counts: table.counts.map(gather), lengths: gather(table.lengths) };
}
