import { MemoryError } from "./errors.ts";
import type { Limits } from "./limits.ts";
import { describe, exceedsBytes, quote, textFault } from "./text.ts";

/** One code point that a class accepts, or a span of them. */
interface Span {
  readonly from: number;
  readonly to: number;
}

/** One step of a pattern. All but `any-text` take exactly one code point. */
type Step =
  | { readonly kind: "literal"; readonly codePoint: number }
  | { readonly kind: "any-text" }
  | { readonly kind: "any-one" }
  | { readonly kind: "class"; readonly negated: boolean; readonly spans: readonly Span[] };

/**
 * A case-sensitive glob over a whole key: `*` any text, `?` one code point, `[a-z]` and `[!a-z]`
 * one of (not of) a class, `\` takes the next character literally, also inside a class. Everything
 * else is literal. A class has at least one member; `]` in it is written `\]`.
 */
export function checkPattern(pattern: unknown, limits: Limits): string {
  if (typeof pattern !== "string")
    throw invalid(`expected a glob such as "user:*", got ${describe(pattern)}`);
  if (pattern === "") throw invalid('is empty; use "*" for every key');
  if (exceedsBytes(pattern, limits.patternBytes))
    throw invalid(`${quote(pattern)} is over ${limits.patternBytes} bytes of UTF-8`);
  const fault = textFault(pattern);
  if (fault !== undefined) throw invalid(`${quote(pattern)} ${fault}`);
  parseGlob(pattern);
  return pattern;
}

/**
 * Whether the whole key matches. On a mismatch only the last `*` is tried again one code point
 * further, so the cost is at most pattern × key, whatever the pattern.
 */
export function matchGlob(pattern: string, key: string): boolean {
  const steps = stepsOf(pattern);
  const text = codePoints(key);
  let step = 0;
  let at = 0;
  let starStep = -1;
  let starAt = 0;
  while (at < text.length) {
    const current = steps[step];
    const codePoint = text[at];
    if (current?.kind === "any-text") {
      starStep = step;
      starAt = at;
      step += 1;
    } else if (current !== undefined && codePoint !== undefined && accepts(current, codePoint)) {
      step += 1;
      at += 1;
    } else if (starStep >= 0) {
      starAt += 1;
      at = starAt;
      step = starStep + 1;
    } else return false;
  }
  while (steps[step]?.kind === "any-text") step += 1;
  return step === steps.length;
}

/** The literal text every match begins with; `exact` = the pattern is that text and nothing else. */
export function globPrefix(pattern: string): { readonly prefix: string; readonly exact: boolean } {
  const steps = stepsOf(pattern);
  let prefix = "";
  for (const step of steps) {
    if (step.kind !== "literal") return { prefix, exact: false };
    prefix += String.fromCodePoint(step.codePoint);
  }
  return { prefix, exact: true };
}

/**
 * The same pattern as a regular expression, anchored at both ends. It means the same in JavaScript
 * (flag `u`) and as an advanced regular expression of PostgreSQL: only `^ $ ( ) [ ] *`, classes,
 * literal text and `\uXXXX` are used. "Any" is "not NUL" because `.` differs on line ends and no key
 * holds NUL.
 */
export function globToRegexSource(pattern: string): string {
  return `^${stepsOf(pattern).map(stepSource).join("")}$`;
}

/** Many keys are matched against one pattern in a row: the last one is kept parsed. */
let parsed: { readonly pattern: string; readonly steps: readonly Step[] } | undefined;

function stepsOf(pattern: string): readonly Step[] {
  if (parsed?.pattern !== pattern) parsed = { pattern, steps: parseGlob(pattern) };
  return parsed.steps;
}

function parseGlob(pattern: string): readonly Step[] {
  const text = codePoints(pattern);
  const steps: Step[] = [];
  for (let at = 0; at < text.length; at += 1) {
    const char = text[at];
    if (char === STAR) {
      // `**` is `*`: dropping the repeat keeps matching linear in the number of real stars.
      if (steps.at(-1)?.kind !== "any-text") steps.push({ kind: "any-text" });
    } else if (char === QUESTION) steps.push({ kind: "any-one" });
    else if (char === OPEN) {
      const { step, end } = parseClass(pattern, text, at);
      steps.push(step);
      at = end;
    } else {
      if (char === BACKSLASH) at += 1;
      steps.push({ kind: "literal", codePoint: literalAt(pattern, text, at) });
    }
  }
  return steps;
}

/** Reads the class that opens at `open`; `end` is the place of its closing bracket. */
function parseClass(
  pattern: string,
  text: readonly number[],
  open: number,
): { readonly step: Step; readonly end: number } {
  const negated = text[open + 1] === EXCLAMATION;
  const spans: Span[] = [];
  let at = open + (negated ? 2 : 1);
  const member = (): number => {
    if (text[at] === BACKSLASH) at += 1;
    const codePoint = literalAt(pattern, text, at);
    at += 1;
    return codePoint;
  };
  while (text[at] !== CLOSE) {
    if (at >= text.length)
      throw invalid(`${quote(pattern)} has an unclosed "["; close it or write "\\["`);
    const from = member();
    const isSpan = text[at] === HYPHEN && at + 1 < text.length && text[at + 1] !== CLOSE;
    if (!isSpan) {
      spans.push({ from, to: from });
      continue;
    }
    at += 1;
    const to = member();
    if (to < from)
      throw invalid(
        `${quote(pattern)} has the backward range ${quote(`${String.fromCodePoint(from)}-${String.fromCodePoint(to)}`)}`,
      );
    spans.push({ from, to });
  }
  if (spans.length === 0)
    throw invalid(`${quote(pattern)} has an empty class; write "\\]" for a bracket in a class`);
  return { step: { kind: "class", negated, spans }, end: at };
}

function literalAt(pattern: string, text: readonly number[], at: number): number {
  const codePoint = text[at];
  if (codePoint !== undefined) return codePoint;
  throw invalid(`${quote(pattern)} ends in a backslash; write "\\\\" for a literal one`);
}

function accepts(step: Step, codePoint: number): boolean {
  if (step.kind === "literal") return step.codePoint === codePoint;
  if (step.kind !== "class") return true;
  return step.spans.some(({ from, to }) => from <= codePoint && codePoint <= to) !== step.negated;
}

function stepSource(step: Step): string {
  if (step.kind === "any-text") return "[^\\u0000]*";
  if (step.kind === "any-one") return "[^\\u0000]";
  if (step.kind === "literal") return charSource(step.codePoint);
  const spans = step.spans.map(({ from, to }) =>
    from === to ? charSource(from) : `${charSource(from)}-${charSource(to)}`,
  );
  return `[${step.negated ? "^" : ""}${spans.join("")}]`;
}

/** ASCII other than letters and digits as `\uXXXX`: right everywhere, inside a class too. */
function charSource(codePoint: number): string {
  const char = String.fromCodePoint(codePoint);
  if (codePoint > ASCII_MAX || /[0-9A-Za-z]/.test(char)) return char;
  return `\\u${codePoint.toString(16).padStart(4, "0")}`;
}

function codePoints(text: string): number[] {
  const points: number[] = [];
  for (const char of text) points.push(char.codePointAt(0) ?? 0);
  return points;
}

function invalid(fault: string): MemoryError {
  return new MemoryError("INVALID_PATTERN", `pattern: ${fault}`, { field: "pattern" });
}

const ASCII_MAX = 0x7f;
const EXCLAMATION = 0x21;
const STAR = 0x2a;
const HYPHEN = 0x2d;
const QUESTION = 0x3f;
const OPEN = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE = 0x5d;
