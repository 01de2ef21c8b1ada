import { inverseDocumentFrequency, termWeight } from "../../../memory/src/recall/keyword/bm25.ts";
import { analyseQuestion } from "../../../memory/src/recall/ranking/question.ts";
import { rankTurns } from "../../../memory/src/recall/ranking/rank.ts";
import {
  describeTurn,
  type TurnFeatures,
} from "../../../memory/src/recall/ranking/turn-features.ts";
import { RANKED_TURNS_MAX, type Turn } from "../../../memory/src/recall/ranking/turn.ts";
import type { Weights } from "../../../memory/src/recall/ranking/weights.ts";
import { createAnalyser, type Analyser } from "../../../memory/src/recall/text/analyser.ts";
import type { Conversation, ConversationTurn } from "./load.ts";

/** As many as the product takes from its keyword index, and from its vectors. */
const KEYWORD_CANDIDATES = 100;
const VECTOR_CANDIDATES = 200;

export interface SimulationOptions {
  readonly weights?: Weights;
  /** Cosine of the question and each turn of the conversation; without it by words alone. */
  readonly similarities?: (question: string) => readonly number[];
}

/** A conversation as the product would have it in a namespace, asked in memory within the same bounds. */
export class SimulatedRecall {
  readonly #analyser: Analyser = createAnalyser();
  readonly #turns: readonly ConversationTurn[];
  readonly #features: readonly TurnFeatures[];
  readonly #postings = new Map<string, Map<number, number>>();
  readonly #averageLength: number;

  constructor({ turns }: Conversation) {
    this.#turns = turns;
    this.#features = turns.map(({ text, speaker, atMs }) =>
      describeTurn(this.#analyser, { text, speaker, ...(atMs === undefined ? {} : { atMs }) }),
    );
    let length = 0;
    this.#features.forEach(({ terms }, index) => {
      length += terms.length;
      for (const term of terms) {
        const holders = this.#postings.get(term) ?? new Map<number, number>();
        this.#postings.set(term, holders.set(index, (holders.get(index) ?? 0) + 1));
      }
    });
    this.#averageLength = length / Math.max(1, turns.length);
  }

  /** Ids of turns, best first. */
  ask(text: string, { weights, similarities }: SimulationOptions = {}): string[] {
    const question = analyseQuestion(this.#analyser, text);
    const frequencies = new Map(
      question.terms.map((term) => [term, this.#postings.get(term)?.size ?? 0]),
    );
    const similar = nearest(similarities?.(text) ?? []);
    const candidates = [...this.#byWords(question.terms), ...similar.keys()];
    const reached = this.#withSessions(candidates);
    const turns = reached.map((index) => this.#turn(index, similar.get(index)));
    const statistics = { documents: this.#turns.length, averageLength: this.#averageLength };
    const ranking = rankTurns({ question, statistics, frequencies, turns }, weights);
    return ranking.order.map((at) => this.#turns[reached[at] ?? -1]?.id ?? "");
  }

  #byWords(terms: readonly string[]): number[] {
    const scores = new Map<number, number>();
    for (const term of terms) {
      const holders = this.#postings.get(term) ?? new Map<number, number>();
      const idf = inverseDocumentFrequency(this.#turns.length, holders.size);
      for (const [index, count] of holders) {
        const length = this.#features[index]?.terms.length ?? 0;
        const score = idf * termWeight(count, length, this.#averageLength);
        scores.set(index, (scores.get(index) ?? 0) + score);
      }
    }
    return topOf([...scores], KEYWORD_CANDIDATES).map(([index]) => index);
  }

  /** The sessions of the candidates whole, best candidate first, as many turns as are ranked. */
  #withSessions(candidates: readonly number[]): number[] {
    const sessions = new Set(candidates.map((index) => this.#turns[index]?.session));
    return [...sessions]
      .flatMap((session) =>
        [...this.#turns.keys()].filter((at) => this.#turns[at]?.session === session),
      )
      .slice(0, RANKED_TURNS_MAX);
  }

  #turn(index: number, similarity: number | undefined): Turn {
    const features = this.#features[index];
    const turn = this.#turns[index];
    if (features === undefined || turn === undefined) throw new Error(`no turn ${index}`);
    return {
      features,
      session: String(turn.session),
      position: turn.position,
      ...(turn.atMs === undefined ? {} : { atMs: turn.atMs }),
      ...(similarity === undefined ? {} : { similarity }),
    };
  }
}

function nearest(similarities: readonly number[]): Map<number, number> {
  return new Map(topOf([...similarities.entries()], VECTOR_CANDIDATES));
}

function topOf(scored: readonly [number, number][], count: number): [number, number][] {
  return scored.toSorted((left, right) => right[1] - left[1] || left[0] - right[0]).slice(0, count);
}
