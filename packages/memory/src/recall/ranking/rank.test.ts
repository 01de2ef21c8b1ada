import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { referenceScores } from "../keyword/reference-scores.ts";
import { createAnalyser } from "../text/analyser.ts";
import { analyseQuestion } from "./question.ts";
import { rankTurns } from "./rank.ts";
import { computeSignals, SIGNALS } from "./signals.ts";
import { RANKED_TURNS_MAX, type RankingInput, type Turn } from "./turn.ts";
import { describeTurn } from "./turn-features.ts";
import { DEFAULT_WEIGHTS } from "./weights.ts";

const analyser = createAnalyser();

interface Said {
  readonly text: string;
  readonly session?: string;
  readonly speaker?: string;
  readonly atMs?: number;
  readonly similarity?: number;
}

/** As if the namespace held these texts and nothing else; positions in the order given. */
function inputOf(query: string, all: readonly Said[]): RankingInput {
  const question = analyseQuestion(analyser, query);
  const turns = all.map(({ session, similarity, ...said }, position): Turn => ({
    features: describeTurn(analyser, said),
    position,
    ...(session === undefined ? {} : { session }),
    ...(said.atMs === undefined ? {} : { atMs: said.atMs }),
    ...(similarity === undefined ? {} : { similarity }),
  }));
  const lengths = turns.reduce((sum, { features }) => sum + features.terms.length, 0);
  const frequency = (term: string): number =>
    turns.filter(({ features }) => features.terms.includes(term)).length;
  return {
    question,
    statistics: { documents: turns.length, averageLength: lengths / Math.max(1, turns.length) },
    frequencies: new Map(question.terms.map((term) => [term, frequency(term)])),
    turns,
  };
}

const first = (query: string, all: readonly Said[]): string | undefined =>
  all[rankTurns(inputOf(query, all)).order[0] ?? -1]?.text;

const word = fc.constantFrom("dog", "cat", "tree", "house", "river", "?", "yesterday", "2023");
const said = fc.record(
  {
    text: fc.array(word, { maxLength: 6 }).map((words) => words.join(" ")),
    session: fc.constantFrom("a", "b"),
    speaker: fc.constantFrom("Ann", "Bob"),
    atMs: fc.integer({ min: 0, max: 2e12 }),
    similarity: fc.double({ min: -1, max: 1, noNaN: true }),
  },
  { requiredKeys: ["text"] },
);
const query = fc.array(word, { maxLength: 5 }).map((words) => words.join(" "));

describe("any turns", () => {
  test("all are ranked once, with finite scores that are the sums of what is explained", () => {
    fc.assert(
      fc.property(query, fc.array(said, { maxLength: 12 }), (asked, all) => {
        const ranking = rankTurns(inputOf(asked, all));
        expect(ranking.order.toSorted((left, right) => left - right)).toEqual([...all.keys()]);
        for (const [index, score] of ranking.scores.entries()) {
          expect(Number.isFinite(score)).toBe(true);
          const parts = Object.values(ranking.contributions(index));
          expect(parts.reduce((sum, part) => sum + part, 0)).toBeCloseTo(score, 9);
        }
      }),
    );
  });

  test("the order in which turns are given breaks ties and nothing else", () => {
    fc.assert(
      fc.property(query, fc.array(said, { maxLength: 8 }), (asked, all) => {
        const input = inputOf(asked, all);
        const reversed = { ...input, turns: input.turns.toReversed() };
        const scores = rankTurns(input).scores;
        const back = rankTurns(reversed).scores.toReversed();
        for (const [index, score] of scores.entries()) expect(back[index]).toBeCloseTo(score, 9);
      }),
    );
  });

  test("what has no session comes in the order of its words", () => {
    fc.assert(
      fc.property(query, fc.array(said, { maxLength: 10 }), (asked, all) => {
        const plain = all.map(({ text }) => ({ text }));
        const input = inputOf(asked, plain);
        const documents = input.turns.map(({ features }, index) => ({
          id: String(index),
          terms: features.terms,
        }));
        const expected = referenceScores(documents, input.question.terms);
        const { order } = rankTurns(input);
        const inOrder = order.map((index) => expected.get(String(index)) ?? 0);
        for (const [place, score] of inOrder.entries())
          expect(score).toBeLessThanOrEqual((inOrder[place - 1] ?? Infinity) + 1e-9);
      }),
    );
  });
});

describe("a conversation", () => {
  const session = "s";

  test("the answer is found by the words of its question, before the question", () => {
    const all = [
      { text: "Good morning, everybody who is here!", session },
      { text: "Which instrument does your sister play?", session },
      { text: "The violin, and she is really good at it by now.", session },
      { text: "We painted the fence in a bright green on Sunday.", session },
    ];
    const turns = Array.from({ length: 30 }, (_, index) => ({
      text: `Something else that somebody said about topic${index} and more`,
      session: "other",
    }));
    expect(first("sister instrument", [...all, ...turns])).toBe(all[2]?.text);
  });

  test("of two who say the same, the one that is named", () => {
    const text = "I went to the museum and looked at paintings";
    const all = [
      { text, session: "a", speaker: "Bob" },
      { text: `${text} too`, session: "b", speaker: "Ann" },
    ];
    const { order } = rankTurns(inputOf("What did Ann see at the museum?", all));
    expect(order[0]).toBe(1);
    const other = rankTurns(inputOf("What did Bob see at the museum?", all));
    expect(other.order[0]).toBe(0);
  });

  test("of two that fit, the one at the time asked for", () => {
    const text = "We went swimming in the lake";
    const all = [
      { text, session: "a", atMs: Date.UTC(2023, 2, 1) },
      { text, session: "b", atMs: Date.UTC(2023, 6, 5) },
    ];
    const { order } = rankTurns(inputOf("Where did they swim in July 2023?", all));
    expect(order[0]).toBe(1);
  });

  test("a relative of a word that nothing holds is found", () => {
    const all = [
      { text: "He is a photographer", session: "a" },
      { text: "He is a plumber", session: "b" },
    ];
    expect(first("photographic", all)).toBe(all[0]?.text);
  });

  test("meaning finds what no word does, also where few similarities are known", () => {
    const all = Array.from({ length: 20 }, (_, index) => ({
      text: `word${index} said here`,
      session: `s${index}`,
      ...(index === 13 ? { similarity: 0.9 } : index < 5 ? { similarity: 0.5 } : {}),
    }));
    expect(first("nothing of the kind", all)).toBe(all[13]?.text);
  });

  test("turns that are not at hand part neighbours", () => {
    const input = inputOf("sister instrument", [
      { text: "Which instrument does your sister play?", session },
      { text: "The violin.", session },
    ]);
    const [question, answer] = input.turns;
    if (question === undefined || answer === undefined) throw new Error("two turns were made");
    const near = computeSignals({ ...input, turns: [question, { ...answer, position: 1 }] });
    const far = computeSignals({ ...input, turns: [question, { ...answer, position: 9 }] });
    expect(near.answers[1]).toBeGreaterThan(0);
    expect(far.answers[1]).toBe(0);
  });
});

test("at most two dozen weights, each of a signal that exists, none of them fine-tuned", () => {
  const weights = Object.entries(DEFAULT_WEIGHTS);
  expect(weights.length).toBeLessThanOrEqual(24);
  for (const [name, weight] of weights) {
    expect(SIGNALS).toContain(name);
    expect(weight * 100).toBeCloseTo(Math.round(weight * 100), 9);
  }
});

test("more turns than are ranked are refused", () => {
  const input = inputOf("dog", [{ text: "dog" }]);
  const turns = Array.from({ length: RANKED_TURNS_MAX + 1 }, () => input.turns[0] ?? []).flat();
  expect(() => rankTurns({ ...input, turns })).toThrow(/at most 2000/u);
});

test("no turns: an empty ranking", () => {
  expect(rankTurns(inputOf("dog", [])).order).toEqual([]);
});
