/**
 * Porter's second stemmer for English, as published with Snowball: `universities` and `university`
 * are one term, `universe` another. Own code, because the small packages either hold the first
 * stemmer of 1980 or have not been touched for years, and stored terms depend on every detail.
 */

const VOWELS = "aeiouy";
const LI_ENDINGS = "cdeghkmnrt";

/** Words that the rules would spoil. */
const SPECIAL = new Map<string, string>(
  Object.entries({
    skis: "ski",
    skies: "sky",
    dying: "die",
    lying: "lie",
    tying: "tie",
    idly: "idl",
    gently: "gentl",
    ugly: "ugli",
    early: "earli",
    only: "onli",
    singly: "singl",
    sky: "sky",
    news: "news",
    howe: "howe",
    atlas: "atlas",
    cosmos: "cosmos",
    bias: "bias",
    andes: "andes",
  }),
);
const KEPT_AFTER_PLURAL = new Set(
  "inning outing canning herring earring evening proceed exceed succeed".split(" "),
);
/** Beginnings after which the first region starts, wherever the vowels are. */
const LONG_BEGINNINGS = [
  "gener",
  "commun",
  "arsen",
  "univers",
  "organ",
  "emerg",
  "inter",
  "later",
  "past",
];

/** Longest first, so that the first that fits is the right one. */
const STEP_2: readonly (readonly [string, string])[] = [
  ["ational", "ate"],
  ["fulness", "ful"],
  ["iveness", "ive"],
  ["ization", "ize"],
  ["ousness", "ous"],
  ["biliti", "ble"],
  ["lessli", "less"],
  ["tional", "tion"],
  ["alism", "al"],
  ["aliti", "al"],
  ["ation", "ate"],
  ["entli", "ent"],
  ["fulli", "ful"],
  ["iviti", "ive"],
  ["ousli", "ous"],
  ["abli", "able"],
  ["alli", "al"],
  ["anci", "ance"],
  ["ator", "ate"],
  ["enci", "ence"],
  ["izer", "ize"],
  ["bli", "ble"],
  ["ogi", "og"],
  ["li", ""],
];
const STEP_3: readonly (readonly [string, string])[] = [
  ["ational", "ate"],
  ["tional", "tion"],
  ["alize", "al"],
  ["ative", ""],
  ["icate", "ic"],
  ["iciti", "ic"],
  ["ical", "ic"],
  ["ness", ""],
  ["ful", ""],
];
const STEP_4 = "ement ance ence able ible ment ant ent ism ate iti ous ive ize ion al er ic".split(
  " ",
);

/** Takes one lower-case word. Words of other alphabets come back as they are. */
export function stemEnglish(word: string): string {
  if (word.length <= 2) return word;
  const special = SPECIAL.get(word);
  if (special !== undefined) return special;

  let stem = removePlural(markConsonantY(word));
  if (KEPT_AFTER_PLURAL.has(stem)) return stem;
  const first = regionOne(stem);
  const second = regionAfter(stem, first);
  stem = removeTense(stem, first);
  stem = softenY(stem);
  stem = replaceIn(stem, first, STEP_2, stepTwoHolds);
  stem = replaceIn(stem, first, STEP_3, (ending, before) => {
    return ending !== "ative" || before >= second;
  });
  stem = removeStep4(stem, second);
  return removeLast(stem, first, second).toLowerCase();
}

function isVowel(stem: string, index: number): boolean {
  const letter = stem[index];
  return letter !== undefined && VOWELS.includes(letter);
}

/** A consonantal y is written Y, and so is no vowel to the rules. */
function markConsonantY(word: string): string {
  if (!word.includes("y")) return word;
  let marked = "";
  for (let index = 0; index < word.length; index += 1) {
    const consonant = word[index] === "y" && (index === 0 || isVowel(marked, index - 1));
    marked += consonant ? "Y" : (word[index] ?? "");
  }
  return marked;
}

function regionOne(stem: string): number {
  const beginning = LONG_BEGINNINGS.find((each) => stem.startsWith(each));
  return beginning === undefined ? regionAfter(stem, 0) : beginning.length;
}

/** Behind the first consonant that follows a vowel at or behind `from`. */
function regionAfter(stem: string, from: number): number {
  for (let index = from + 1; index < stem.length; index += 1)
    if (!isVowel(stem, index) && isVowel(stem, index - 1)) return index + 1;
  return stem.length;
}

function hasVowelBefore(stem: string, end: number): boolean {
  for (let index = 0; index < end; index += 1) if (isVowel(stem, index)) return true;
  return false;
}

/** Ends in a short syllable: vowel and consonant at the start, or consonant, vowel, consonant. */
function endsShort(stem: string): boolean {
  const last = stem.length - 1;
  if (last < 1 || isVowel(stem, last) || !isVowel(stem, last - 1)) return false;
  if (last === 1) return true;
  return !isVowel(stem, last - 2) && !"wxY".includes(stem[last] ?? "");
}

function removePlural(stem: string): string {
  if (stem.endsWith("sses")) return stem.slice(0, -2);
  if (stem.endsWith("ied") || stem.endsWith("ies")) return stem.slice(0, stem.length > 4 ? -2 : -1);
  if (!stem.endsWith("s") || stem.endsWith("us") || stem.endsWith("ss")) return stem;
  return hasVowelBefore(stem, stem.length - 2) ? stem.slice(0, -1) : stem;
}

function removeTense(stem: string, first: number): string {
  for (const ending of ["eedly", "eed"])
    if (stem.endsWith(ending)) {
      const before = stem.length - ending.length;
      return before >= first ? `${stem.slice(0, before)}ee` : stem;
    }
  const ending = ["ingly", "edly", "ing", "ed"].find((each) => stem.endsWith(each));
  if (ending === undefined) return stem;
  const bare = stem.slice(0, -ending.length);
  if (!hasVowelBefore(bare, bare.length)) return stem;
  if (/(?:at|bl|iz)$/u.test(bare)) return `${bare}e`;
  if (/(?:bb|dd|ff|gg|mm|nn|pp|rr|tt)$/u.test(bare))
    return /^[aeo](?:bb|dd|ff|gg|mm|nn|pp|rr|tt)$/u.test(bare) ? bare : bare.slice(0, -1);
  return endsShort(bare) && bare.length <= first ? `${bare}e` : bare;
}

function softenY(stem: string): string {
  const last = stem.length - 1;
  if (last < 2 || (stem[last] !== "y" && stem[last] !== "Y")) return stem;
  return isVowel(stem, last - 1) ? stem : `${stem.slice(0, last)}i`;
}

function stepTwoHolds(ending: string, before: number, stem: string): boolean {
  if (ending === "ogi") return stem[before - 1] === "l";
  if (ending === "li") return LI_ENDINGS.includes(stem[before - 1] ?? " ");
  return true;
}

/** Only the longest ending counts: where its condition fails, no shorter one is tried. */
function replaceIn(
  stem: string,
  region: number,
  endings: readonly (readonly [string, string])[],
  holds: (ending: string, before: number, stem: string) => boolean,
): string {
  const found = endings.find(([ending]) => stem.endsWith(ending));
  if (found === undefined) return stem;
  const before = stem.length - found[0].length;
  if (before < region || !holds(found[0], before, stem)) return stem;
  return stem.slice(0, before) + found[1];
}

function removeStep4(stem: string, second: number): string {
  const ending = STEP_4.find((each) => stem.endsWith(each));
  if (ending === undefined) return stem;
  const before = stem.length - ending.length;
  if (before < second) return stem;
  if (ending === "ion" && !"st".includes(stem[before - 1] ?? " ")) return stem;
  return stem.slice(0, before);
}

function removeLast(stem: string, first: number, second: number): string {
  const last = stem.length - 1;
  if (stem.endsWith("e")) {
    const removable = last >= second || (last >= first && !endsShort(stem.slice(0, last)));
    return removable ? stem.slice(0, last) : stem;
  }
  return stem.endsWith("ll") && last >= second ? stem.slice(0, last) : stem;
}
