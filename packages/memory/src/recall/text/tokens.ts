/**
 * Splits text into words, the same way on every machine: no ICU segmenter and no locale, whose
 * answers change with the version of Node, because what is stored was split by an older one.
 */

/** Longer words are cut here: an encoded image or a hash is no word, yet must not fill an index. */
export const TOKEN_CHARS_MAX = 64;
/** Words beyond these are not read. 8 KB of text, the default of an item, never has as many. */
export const TOKENS_MAX = 10_000;
/** What is not even normalised; above the largest value an item may have. */
export const TEXT_CHARS_MAX = 1_048_576;

const WORD = /[\p{L}\p{N}][\p{L}\p{N}\p{M}]*/gu;
/** Scripts that are written without spaces: a run of them is read as overlapping pairs. */
const UNSPACED =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/u;
const APOSTROPHES = /[\u2018\u2019\u02bc\u2032\u0060\u00b4]/gu;

/** NFKC and lower case, apostrophes in one form. Normalised twice: lower case may leave the form. */
export function normaliseText(text: string): string {
  return text
    .slice(0, TEXT_CHARS_MAX)
    .replace(APOSTROPHES, "'")
    .normalize("NFKC")
    .toLowerCase()
    .normalize("NFKC");
}

/** Words of a normalised text in order, with duplicates, bounded. */
export function splitWords(normalised: string): string[] {
  const words: string[] = [];
  for (const match of normalised.matchAll(WORD)) {
    if (UNSPACED.test(match[0])) pushPairs(words, match[0]);
    else words.push(cut(match[0]));
    if (words.length >= TOKENS_MAX) break;
  }
  return words.length > TOKENS_MAX ? words.slice(0, TOKENS_MAX) : words;
}

/** `東京都` as `東京 京都`; letters of other scripts in the run stay a word. */
function pushPairs(words: string[], run: string): void {
  let before: string | undefined;
  let paired = false;
  let other = "";
  const flush = (): void => {
    if (other !== "") words.push(cut(other));
    other = "";
  };
  const endRun = (): void => {
    if (before !== undefined && !paired) words.push(before);
    before = undefined;
    paired = false;
  };
  for (const letter of run) {
    if (words.length >= TOKENS_MAX) return;
    if (!UNSPACED.test(letter)) {
      endRun();
      other += letter;
      continue;
    }
    flush();
    if (before !== undefined) {
      words.push(before + letter);
      paired = true;
    }
    before = letter;
  }
  endRun();
  flush();
}

/** Never between the halves of a surrogate pair. */
function cut(word: string): string {
  if (word.length <= TOKEN_CHARS_MAX) return word;
  const last = word.charCodeAt(TOKEN_CHARS_MAX - 1);
  return word.slice(0, last >= 0xd800 && last <= 0xdbff ? TOKEN_CHARS_MAX - 1 : TOKEN_CHARS_MAX);
}
