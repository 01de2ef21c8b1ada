import { intervalsAsked } from "./question.ts";
import { layOut, shifted, type Layout } from "./layout.ts";
import { nearness } from "./nearness.ts";
import { namedSpeakers } from "./speakers.ts";
import { dateMatch } from "./time/date-match.ts";
import { TRAITS } from "./traits.ts";
import type { RankingInput } from "./turn.ts";
import {
  averageOf,
  idfMass,
  ownIdf,
  scoreTurns,
  sessionTable,
  tableOf,
  weighTerms,
  windowTable,
} from "./word-scores.ts";

export function computeSignals(input: RankingInput): Map<string, Float64Array> {
  const { turns, question, statistics } = input;
  const columns = new Map<string, Float64Array>();
  const layout = layOut(turns);
  const { match, terms: names } = namedSpeakers(question, turns);
  const terms = weighTerms(input, names);
  const mass = idfMass(terms);
  const table = tableOf(turns, terms);
  const scaled = (column: Float64Array): Float64Array => column.map((each) => each / mass);
  const each = (value: (index: number) => number): Float64Array =>
    Float64Array.from(turns, (_, i) => value(i));

  const words = scaled(scoreTurns(terms, table, statistics.averageLength));
  columns.set("words", words);
  const near = scaled(nearness(turns, question.sequence, terms));
  columns.set("nearness", near);
  const coverage = new Float64Array(turns.length);
  terms.forEach(({ weight, idf }, slot) =>
    table.counts[slot]?.forEach((n, i) => {
      if (n > 0) coverage[i] = (coverage[i] ?? 0) + (weight * idf) / mass;
    }),
  );
  columns.set("coverage", coverage);
  columns.set(
    "coverage2",
    coverage.map((x) => x * x),
  );
  const rarest = new Float64Array(turns.length);
  terms.forEach(({ idf }, slot) =>
    table.counts[slot]?.forEach((n, i) => {
      if (n > 0 && idf > (rarest[i] ?? 0)) rarest[i] = idf;
    }),
  );
  columns.set(
    "rarest",
    rarest.map((x) => x / 3),
  );
  for (const step of [-1, 1, -2, 2, -3, 3])
    columns.set(`words${step}`, shifted(words, layout, step));
  for (const reach of [1, 2, 4]) {
    const w = windowTable(table, layout, reach);
    columns.set(`window${reach}`, scaled(scoreTurns(ownIdf(terms, w), w, averageOf(w.lengths))));
    columns.set(`windowT${reach}`, scaled(scoreTurns(terms, w, averageOf(w.lengths))));
    const cov = new Float64Array(turns.length);
    terms.forEach(({ weight, idf }, slot) =>
      w.counts[slot]?.forEach((n, i) => {
        if (n > 0) cov[i] = (cov[i] ?? 0) + (weight * idf) / mass;
      }),
    );
    columns.set(`windowcov${reach}`, cov);
  }
  const st = sessionTable(table, layout);
  const ss = scoreTurns(ownIdf(terms, st), st, averageOf(st.lengths));
  const sst = scoreTurns(terms, st, averageOf(st.lengths));
  const ssMax = Math.max(1e-9, ...ss);
  const at = (values: Float64Array, i: number): number => {
    const s = layout.session[i] ?? -1;
    return s < 0 ? 0 : (values[s] ?? 0);
  };
  columns.set(
    "session",
    each((i) => at(ss, i) / mass),
  );
  columns.set(
    "sessionT",
    each((i) => at(sst, i) / mass),
  );
  columns.set(
    "sessionRel",
    each((i) => at(ss, i) / ssMax),
  );
  const asks = each((i) => (turns[i]?.features.asks === true ? 1 : 0));
  const ends = each((i) => (turns[i]?.features.endsAsking === true ? 1 : 0));
  const w1 = shifted(words, layout, -1);
  const asksBefore = shifted(asks, layout, -1);
  const endsBefore = shifted(ends, layout, -1);
  columns.set(
    "answers",
    each((i) => (asksBefore[i] ?? 0) * (w1[i] ?? 0)),
  );
  columns.set(
    "answersEnd",
    each((i) => (endsBefore[i] ?? 0) * (w1[i] ?? 0)),
  );
  columns.set("asks", asks);
  columns.set("endsAsking", ends);
  columns.set(
    "askedWords",
    each((i) => (ends[i] ?? 0) * (words[i] ?? 0)),
  );
  const wp1 = shifted(words, layout, 1);
  columns.set(
    "answered",
    each((i) => (ends[i] ?? 0) * (wp1[i] ?? 0)),
  );
  columns.set("speaker", match);
  columns.set(
    "speakerWords",
    each((i) => (match[i] ?? 0) * (words[i] ?? 0)),
  );
  const years = [
    ...new Set(
      turns.flatMap((t) => (t.atMs === undefined ? [] : [new Date(t.atMs).getUTCFullYear()])),
    ),
  ];
  const asked = intervalsAsked(question, years);
  const dates = each((i) =>
    Math.max(
      0,
      ...asked.map((a) => dateMatch(a, turns[i]?.atMs, turns[i]?.features.mentioned ?? [])),
    ),
  );
  columns.set("date", dates);
  columns.set(
    "dateWords",
    each((i) => (dates[i] ?? 0) * (words[i] ?? 0)),
  );
  for (const trait of TRAITS) {
    columns.set(
      trait,
      each((i) =>
        question.asked.has(trait) && turns[i]?.features.traits.has(trait) === true ? 1 : 0,
      ),
    );
    columns.set(
      `${trait}Shown`,
      each((i) => (turns[i]?.features.traits.has(trait) === true ? 1 : 0)),
    );
  }
  columns.set(
    "length",
    each((i) => Math.min(1, (turns[i]?.features.terms.length ?? 0) / 20)),
  );
  columns.set(
    "loglen",
    each((i) => Math.log(1 + (turns[i]?.features.terms.length ?? 0)) / 3),
  );
  columns.set(
    "opening",
    each((i) => (layout.place[i] === 0 ? 1 : 0)),
  );
  columns.set(
    "second",
    each((i) => (layout.place[i] === 1 ? 1 : 0)),
  );
  columns.set(
    "third",
    each((i) => (layout.place[i] === 2 || layout.place[i] === 3 ? 1 : 0)),
  );
  columns.set(
    "closing",
    each((i) => (layout.placeFromEnd[i] === 0 ? 1 : 0)),
  );
  columns.set(
    "closing1",
    each((i) => (layout.placeFromEnd[i] === 1 ? 1 : 0)),
  );
  return columns;
}
export type { Layout };
