import { globPrefix } from "../../../model/glob.ts";

const CODE_POINT_MAX = 0x10ffff;
const SURROGATES_FIRST = 0xd800;
const SURROGATES_END = 0xe000;

/** Keys from `from` on and, when given, below `to`. */
export interface KeyRange {
  readonly from: string;
  readonly to: string | undefined;
}

/** The first text, in byte order, that is above all that begin with the prefix; undefined: none is. */
function afterPrefix(prefix: string): string | undefined {
  const points = Array.from(prefix, (char) => char.codePointAt(0) ?? 0);
  while (points.at(-1) === CODE_POINT_MAX) points.pop();
  const last = points.pop();
  if (last === undefined) return undefined;
  const next = last + 1 === SURROGATES_FIRST ? SURROGATES_END : last + 1;
  return String.fromCodePoint(...points, next);
}

/** What a pattern says about the order of keys, and whether that is all it says. */
export function keyRangeOf(pattern: string): {
  readonly range: KeyRange | undefined;
  /** The range alone decides: nothing is left to check. */
  readonly decides: boolean;
} {
  const { prefix, exact } = globPrefix(pattern);
  // No key holds NUL, so nothing lies between a key and the same with U+0001 after it.
  if (exact) return { range: { from: prefix, to: `${prefix}\u0001` }, decides: true };
  const isPlainPrefix = /^\*+$/.test(pattern.slice(plainLength(pattern)));
  if (prefix === "") return { range: undefined, decides: isPlainPrefix };
  return { range: { from: prefix, to: afterPrefix(prefix) }, decides: isPlainPrefix };
}

/** Length of the pattern's literal beginning as it is written. */
function plainLength(pattern: string): number {
  let at = 0;
  while (at < pattern.length && !"*?[".includes(pattern[at] ?? ""))
    at += pattern[at] === "\\" ? 2 : 1;
  return at;
}
