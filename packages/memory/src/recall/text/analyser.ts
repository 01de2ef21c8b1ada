import { rulesOf, type Language, type LanguageRules } from "./languages.ts";
import { normaliseText, splitWords } from "./tokens.ts";

/**
 * Raised by any change that gives some text other terms. Stored postings carry it: an index of
 * another version is rebuilt, never mixed.
 */
const ANALYSER_VERSION = 1;

/** Distinct words whose stems are remembered; then all are forgotten at once. */
const STEMS_MAX = 50_000;

/** Text to terms: one for all backends, so that they agree on what a word is. */
export interface Analyser {
  /** Stored beside what was analysed: language and version. */
  readonly id: string;
  readonly language: Language;
  /** In order, with duplicates, stop words left out; bounded in length and number. */
  terms(text: string): string[];
}

export interface AnalyserOptions {
  readonly language?: Language;
}

export function createAnalyser({ language = "en" }: AnalyserOptions = {}): Analyser {
  const rules = rulesOf(language);
  const stem = rememberedStems(rules);
  return {
    id: `${language}/${ANALYSER_VERSION}`,
    language,
    terms: (text) => {
      const terms: string[] = [];
      for (const word of splitWords(rules.prepare(normaliseText(text)))) {
        if (rules.stopWords.has(word)) continue;
        const term = stem(word);
        if (term !== "") terms.push(term);
      }
      return terms;
    },
  };
}

/** Text repeats its words: a look-up is a tenth of a stemming. */
function rememberedStems(rules: LanguageRules): (word: string) => string {
  const stems = new Map<string, string>();
  return (word) => {
    const known = stems.get(word);
    if (known !== undefined) return known;
    if (stems.size >= STEMS_MAX) stems.clear();
    const stem = rules.stem(word);
    stems.set(word, stem);
    return stem;
  };
}
