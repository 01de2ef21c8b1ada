import { stemmer as danish } from "@orama/stemmers/danish";
import { stemmer as dutch } from "@orama/stemmers/dutch";
import { stemmer as finnish } from "@orama/stemmers/finnish";
import { stemmer as french } from "@orama/stemmers/french";
import { stemmer as german } from "@orama/stemmers/german";
import { stemmer as hungarian } from "@orama/stemmers/hungarian";
import { stemmer as italian } from "@orama/stemmers/italian";
import { stemmer as norwegian } from "@orama/stemmers/norwegian";
import { stemmer as portuguese } from "@orama/stemmers/portuguese";
import { stemmer as romanian } from "@orama/stemmers/romanian";
import { stemmer as russian } from "@orama/stemmers/russian";
import { stemmer as spanish } from "@orama/stemmers/spanish";
import { stemmer as swedish } from "@orama/stemmers/swedish";
import { stemmer as turkish } from "@orama/stemmers/turkish";
import { stopwords as danishStops } from "@orama/stopwords/danish";
import { stopwords as dutchStops } from "@orama/stopwords/dutch";
import { stopwords as finnishStops } from "@orama/stopwords/finnish";
import { stopwords as frenchStops } from "@orama/stopwords/french";
import { stopwords as germanStops } from "@orama/stopwords/german";
import { stopwords as hungarianStops } from "@orama/stopwords/hungarian";
import { stopwords as italianStops } from "@orama/stopwords/italian";
import { stopwords as norwegianStops } from "@orama/stopwords/norwegian";
import { stopwords as portugueseStops } from "@orama/stopwords/portuguese";
import { stopwords as romanianStops } from "@orama/stopwords/romanian";
import { stopwords as russianStops } from "@orama/stopwords/russian";
import { stopwords as spanishStops } from "@orama/stopwords/spanish";
import { stopwords as swedishStops } from "@orama/stopwords/swedish";
import { stopwords as turkishStops } from "@orama/stopwords/turkish";
import { ENGLISH_BASE_FORMS, ENGLISH_STOP_WORDS, removeContractions } from "./english-words.ts";
import { stemEnglish } from "./porter2.ts";

/** ISO 639-1 codes; `none` neither stems nor drops anything. */
export const LANGUAGES = [
  "en",
  "da",
  "de",
  "es",
  "fi",
  "fr",
  "hu",
  "it",
  "nl",
  "no",
  "pt",
  "ro",
  "ru",
  "sv",
  "tr",
  "none",
] as const;

export type Language = (typeof LANGUAGES)[number];

/** What a language does with words; all of it pure. */
export interface LanguageRules {
  readonly stopWords: ReadonlySet<string>;
  /** On the whole normalised text, before it is split. */
  readonly prepare: (normalised: string) => string;
  readonly stem: (word: string) => string;
}

const unchanged = (text: string): string => text;

function fromLibrary(stopWords: readonly string[], stem: (word: string) => string): LanguageRules {
  return { stopWords: new Set(stopWords), prepare: unchanged, stem };
}

const RULES: Readonly<Record<Language, LanguageRules>> = {
  en: {
    stopWords: ENGLISH_STOP_WORDS,
    prepare: removeContractions,
    stem: (word) => stemEnglish(ENGLISH_BASE_FORMS.get(word) ?? word),
  },
  da: fromLibrary(danishStops, danish),
  de: fromLibrary(germanStops, german),
  es: fromLibrary(spanishStops, spanish),
  fi: fromLibrary(finnishStops, finnish),
  fr: fromLibrary(frenchStops, french),
  hu: fromLibrary(hungarianStops, hungarian),
  it: fromLibrary(italianStops, italian),
  nl: fromLibrary(dutchStops, dutch),
  no: fromLibrary(norwegianStops, norwegian),
  pt: fromLibrary(portugueseStops, portuguese),
  ro: fromLibrary(romanianStops, romanian),
  ru: fromLibrary(russianStops, russian),
  sv: fromLibrary(swedishStops, swedish),
  tr: fromLibrary(turkishStops, turkish),
  none: { stopWords: new Set(), prepare: unchanged, stem: unchanged },
};

export function rulesOf(language: Language): LanguageRules {
  return RULES[language];
}
