import type { Category, EvidenceQuestion } from "./load.ts";

export const DEPTHS = [1, 5, 10, 20] as const;
export type Depth = (typeof DEPTHS)[number];
/** The first evidence further down counts as not found. */
const RECIPROCAL_RANK_DEPTH = 20;

/** Means over questions. */
export interface EvidenceFigures {
  readonly questions: number;
  /** Percent of a question's evidence turns among the first k. */
  readonly recall: Readonly<Record<Depth, number>>;
  /** 0 to 1: of the first evidence turn. */
  readonly mrr: number;
}

export interface EvidenceReport extends EvidenceFigures {
  readonly byCategory: Readonly<Partial<Record<Category, EvidenceFigures>>>;
}

/** A question and the turns that were returned for it, best first. */
export interface Answer {
  readonly question: EvidenceQuestion;
  readonly ranked: readonly string[];
}

export function reportOf(answers: readonly Answer[]): EvidenceReport {
  const byCategory: Partial<Record<Category, EvidenceFigures>> = {};
  for (const category of new Set(answers.map(({ question }) => question.category)))
    byCategory[category] = figuresOf(
      answers.filter(({ question }) => question.category === category),
    );
  return { ...figuresOf(answers), byCategory };
}

function figuresOf(answers: readonly Answer[]): EvidenceFigures {
  const mean = (value: (answer: Answer) => number): number =>
    answers.length === 0
      ? 0
      : answers.reduce((sum, answer) => sum + value(answer), 0) / answers.length;
  const at = (depth: Depth): number => 100 * mean((answer) => recallAt(answer, depth));
  return {
    questions: answers.length,
    recall: { 1: at(1), 5: at(5), 10: at(10), 20: at(20) },
    mrr: mean(reciprocalRank),
  };
}

function recallAt({ question, ranked }: Answer, depth: number): number {
  const first = new Set(ranked.slice(0, depth));
  return question.evidence.filter((id) => first.has(id)).length / question.evidence.length;
}

function reciprocalRank({ question, ranked }: Answer): number {
  const index = ranked
    .slice(0, RECIPROCAL_RANK_DEPTH)
    .findIndex((id) => question.evidence.includes(id));
  return index < 0 ? 0 : 1 / (index + 1);
}
