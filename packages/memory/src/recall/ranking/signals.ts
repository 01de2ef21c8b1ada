import { layOut, type Layout } from "./layout.ts";
import { meaningSignals } from "./meaning-signals.ts";
import { namedSpeakers } from "./speakers.ts";
import { timeSignals } from "./time-signals.ts";
import type { Trait } from "./traits.ts";
import type { RankingInput, Turn } from "./turn.ts";
import { wordSignals } from "./word-signals.ts";

/** What holds of any text. The others are about conversations, and 0 for what has no session. */
const OF_ANY_TEXT = ["words", "meaning", "recency"] as const;
const OF_TURNS = [
  "kin",
  "nearness",
  "window",
  "session",
  "answers",
  "length",
  "asking",
  "speaker",
  "date",
  "time",
  "number",
  "place",
  "name",
  "reason",
  "feeling",
  "meaningBefore",
  "meaningAfter",
  "meaningAnswers",
] as const;

export const SIGNALS: readonly [...typeof OF_ANY_TEXT, ...typeof OF_TURNS] = [
  ...OF_ANY_TEXT,
  ...OF_TURNS,
];
export type SignalName = (typeof SIGNALS)[number];
/** Each signal's value per turn. */
export type Signals = Readonly<Record<SignalName, Float64Array>>;

/** All signals of all turns, in time linear in their words. What weighs them is `rankTurns`. */
export function computeSignals(input: RankingInput): Signals {
  const { turns, question } = input;
  const layout = layOut(turns);
  const speakers = namedSpeakers(question, turns);
  const signals: Signals = {
    ...wordSignals(input, layout, speakers.terms),
    ...timeSignals(input),
    ...meaningSignals(turns, layout),
    ...traitSignals(turns, question.asked),
    speaker: speakers.match,
    asking: Float64Array.from(turns, ({ features }) => Number(features.endsAsking)),
  };
  for (const name of OF_TURNS) clearOutsideSessions(signals[name], layout);
  return signals;
}

/** 1 where the question asks for something that the turn shows: a time, a number, a name… */
function traitSignals(
  turns: readonly Turn[],
  asked: ReadonlySet<Trait>,
): Record<Trait, Float64Array> {
  const column = (trait: Trait): Float64Array =>
    asked.has(trait)
      ? Float64Array.from(turns, ({ features }) => Number(features.traits.has(trait)))
      : new Float64Array(turns.length);
  return {
    time: column("time"),
    number: column("number"),
    place: column("place"),
    name: column("name"),
    reason: column("reason"),
    feeling: column("feeling"),
  };
}

/** So that ordinary items come in the order of their words, or of words and meaning. */
function clearOutsideSessions(values: Float64Array, layout: Layout): void {
  layout.session.forEach((session, index) => {
    if (session < 0) values[index] = 0;
  });
}
