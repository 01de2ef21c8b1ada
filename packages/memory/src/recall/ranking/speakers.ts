import type { Question } from "./question.ts";
import type { Turn } from "./turn.ts";

/** Who of those that speak in these turns the question names. */
export interface NamedSpeakers {
  /** Per turn: 1 where its speaker is named while another is not, else 0. */
  readonly match: Float64Array;
  /** Terms that are only names of speakers: everybody addresses everybody by name. */
  readonly terms: ReadonlySet<string>;
}

export function namedSpeakers(question: Question, turns: readonly Turn[]): NamedSpeakers {
  const named = new Map<string, boolean>();
  const terms = new Set<string>();
  for (const { features } of turns) {
    const speaker = features.speakerWords.join(" ");
    if (speaker === "" || named.has(speaker)) continue;
    const words = features.speakerWords.filter((word) => question.words.has(word));
    named.set(speaker, words.length > 0);
    for (const word of words) {
      const term = question.words.get(word);
      if (term !== undefined) terms.add(term);
    }
  }
  const some = [...named.values()].includes(true);
  const all = ![...named.values()].includes(false);
  const match = Float64Array.from(turns, ({ features }) => {
    return some && !all && named.get(features.speakerWords.join(" ")) === true ? 1 : 0;
  });
  return { match, terms };
}
