/**
 * What a question asks for, and how a text shows that it has it. English; a text of another
 * language shows little and is asked for nothing, so these signals are 0 there.
 */

export const TRAITS = ["time", "number", "place", "name", "reason", "feeling"] as const;

export type Trait = (typeof TRAITS)[number];

interface TraitPatterns {
  /** On the question in lower case. */
  readonly asked: RegExp;
  /** On the text as it was written: capitals tell names. */
  readonly shown: RegExp;
}

const MONTHS =
  "january|february|march \\d|in march|april|in may|may \\d|june|july|august|september|october|november|december";
const NEAR_TIME =
  "(?:night|week|month|year|weekend|summer|winter|spring|fall|mon|tue|wed|thu|fri|sat|sun)\\w*";
const JUST =
  "just (?:got|had|did|went|started|finished|bought|came|took|made|joined|signed|found|won|lost|opened|launched|adopted)";

const PATTERNS: Readonly<Record<Trait, TraitPatterns>> = {
  time: {
    asked: /\bwhen\b|\b(?:what|which) (?:date|day|month|year|time)\b|\bhow long\b/u,
    shown: new RegExp(
      `\\b(?:yesterday|today|tonight|tomorrow|ago|recently|the other day|(?:last|next|this|past) ${NEAR_TIME}|weekend|this morning|since (?:i|we)|(?:19|20)\\d\\d|few (?:days|weeks|months|years)|${MONTHS}|${JUST})\\b`,
      "iu",
    ),
  },
  number: {
    asked: /\bhow (?:many|much|old|often|long|far)\b|\bnumber of\b|\bhow many times\b/u,
    shown:
      /\b(?:\d+|one|two|three|four|five|six|seven|eight|nine|ten|once|twice|couple|several|first|second|third|fourth)\b/iu,
  },
  place: {
    asked:
      /\bwhere\b|\b(?:what|which) (?:city|country|state|place|town|countries|cities|places)\b/u,
    shown: /\b(?:in|at|to|from|near|around|visit(?:ed|ing)?) (?:the )?\p{Lu}\p{Ll}/u,
  },
  name: {
    asked:
      /\b(?:name[ds]?|called|title|book|movie|film|song|band|show|game|series|artist|author|who|which)\b/u,
    shown: /["\u201c]\p{L}|[\p{Ll},] \p{Lu}\p{Ll}/u,
  },
  reason: {
    asked:
      /\bwhy\b|\breason\b|\bhow (?:does|did|do)\b|\bwhat (?:made|motivate[sd]?|inspire[sd]?)\b/u,
    shown:
      /\b(?:because|'?cause|since|so that|helps?|helped|inspired|makes? me|made me|reminds? me)\b/iu,
  },
  feeling: {
    asked: /\bfeel|\bfelt\b|\bthink\b|\bopinion\b|\bdescribe|\breact/u,
    shown:
      /\b(?:feel|felt|love|amazing|great|happy|awesome|excited|proud|sad|thankful|grateful|nervous|scared)\w*/iu,
  },
};

export function traitsAsked(question: string): ReadonlySet<Trait> {
  const lower = question.toLowerCase();
  return new Set(TRAITS.filter((trait) => PATTERNS[trait].asked.test(lower)));
}

export function traitsShown(text: string): ReadonlySet<Trait> {
  return new Set(TRAITS.filter((trait) => PATTERNS[trait].shown.test(text)));
}
