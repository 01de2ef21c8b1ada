import type { CollectionStatistics } from "../keyword/bm25.ts";
import type { Question } from "./question.ts";
import type { TurnFeatures } from "./turn-features.ts";

/** Turns ranked at once; more are refused. Cost is linear in them. */
export const RANKED_TURNS_MAX = 2_000;

/**
 * One text to rank: a candidate of the keyword or the vector index, or a neighbour of one. What
 * has no session, speaker or time is ranked by its words and meaning alone.
 */
export interface Turn {
  readonly features: TurnFeatures;
  readonly session?: string;
  /** Order within the session. */
  readonly position?: number;
  /** When it was said, in world time. */
  readonly atMs?: number;
  /** Cosine of its vector and the question's, where known. */
  readonly similarity?: number;
}

export interface RankingInput {
  readonly question: Question;
  /** Of the namespaces searched. */
  readonly statistics: CollectionStatistics;
  /** Live items that hold each term of the question; a term that is missing is in none. */
  readonly frequencies: ReadonlyMap<string, number>;
  readonly turns: readonly Turn[];
}
