import { inverseDocumentFrequency, termWeight } from "../keyword/bm25.ts";
import { standIns } from "./fuzzy-terms.ts";
import type { Layout } from "./layout.ts";
import { countTerms, holders, type TermTable } from "./term-table.ts";
import type { RankingInput, Turn } from "./turn.ts";

/** What a term resembling an unseen one is worth, before its likeness. */
const STAND_IN_WORTH = 0.5;

/** A term to score by: how much it counts, and how rare it is in the namespaces searched. */
export interface WeighedTerm {
  readonly term: string;
  readonly weight: number;
  readonly idf: number;
}

/** The question's terms without `left out`, and stand-ins for those that nothing holds. */
export function weighTerms(input: RankingInput, leftOut: ReadonlySet<string>): WeighedTerm[] {
  const { question, frequencies, statistics, turns } = input;
  const kept = question.terms.filter((term) => !leftOut.has(term));
  // A question of names alone is about what holds them.
  const terms = kept.length === 0 ? question.terms : kept;
  const weighed = terms.map((term) => ({
    term,
    weight: 1,
    idf: inverseDocumentFrequency(statistics.documents, frequencies.get(term) ?? 0),
  }));
  const unseen = terms.filter((term) => (frequencies.get(term) ?? 0) === 0);
  if (unseen.length === 0) return weighed;
  const vocabulary = new Set(turns.flatMap(({ features }) => features.terms));
  const found = new Map<string, number>();
  for (const term of unseen)
    for (const { term: other, likeness } of standIns(term, vocabulary))
      if (!terms.includes(other) && !leftOut.has(other))
        found.set(other, Math.max(found.get(other) ?? 0, likeness * STAND_IN_WORTH));
  return [...weighed, ...withLocalIdf(input, found)];
}

/** Terms that the question did not name: how many hold them is known of the turns here only. */
export function withLocalIdf(
  { turns, statistics }: Pick<RankingInput, "turns" | "statistics">,
  weights: ReadonlyMap<string, number>,
): WeighedTerm[] {
  const table = countTerms(turns, weights.keys());
  const scale = turns.length === 0 ? 0 : statistics.documents / turns.length;
  return table.terms.map((term, slot) => {
    const held = holders(table.counts[slot] ?? new Float64Array()) * Math.max(1, scale);
    return {
      term,
      weight: weights.get(term) ?? 0,
      idf: inverseDocumentFrequency(Math.max(statistics.documents, held), held),
    };
  });
}

/** What a text that holds every term once would get, about: scores of all questions on one scale. */
export function idfMass(terms: readonly WeighedTerm[]): number {
  return terms.reduce((sum, { weight, idf }) => sum + weight * idf, 0) || 1;
}

/** Turns scored by their own words, with the statistics of the namespace. */
export function scoreTurns(
  terms: readonly WeighedTerm[],
  table: TermTable,
  averageLength: number,
): Float64Array {
  const scores = new Float64Array(table.lengths.length);
  terms.forEach(({ weight, idf }, slot) => {
    const row = table.counts[slot];
    row?.forEach((count, index) => {
      if (count === 0) return;
      const length = table.lengths[index] ?? 0;
      scores[index] =
        (scores[index] ?? 0) + weight * idf * termWeight(count, length, averageLength);
    });
  });
  return scores;
}

/** The turns with those around them as one text each. */
export function windowTable(table: TermTable, layout: Layout, reach: number): TermTable {
  return {
    terms: table.terms,
    counts: table.counts.map((row) => windowSums(row, layout, reach)),
    lengths: windowSums(table.lengths, layout, reach),
  };
}

function windowSums(row: Float64Array, layout: Layout, reach: number): Float64Array {
  return row.map((own, index) => {
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
  return { terms: table.terms, counts: table.counts.map(gather), lengths: gather(table.lengths) };
}

export function averageOf(lengths: Float64Array): number {
  return lengths.length === 0 ? 0 : lengths.reduce((sum, each) => sum + each, 0) / lengths.length;
}

/** Rarity among the texts of the table itself: windows and sessions hold a term more often. */
export function ownIdf(terms: readonly WeighedTerm[], table: TermTable): WeighedTerm[] {
  return terms.map((term, slot) => ({
    ...term,
    idf: inverseDocumentFrequency(
      table.lengths.length,
      holders(table.counts[slot] ?? new Float64Array()),
    ),
  }));
}

export function tableOf(turns: readonly Turn[], terms: readonly WeighedTerm[]): TermTable {
  return countTerms(
    turns,
    terms.map(({ term }) => term),
  );
}
