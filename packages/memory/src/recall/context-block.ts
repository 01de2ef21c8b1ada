/** One remembered turn as it stands in a prompt. */
export interface ContextTurn {
  readonly id: string;
  readonly at: string;
  readonly order: number;
  readonly speaker?: string;
  readonly text: string;
}

/** A hit and the turns around it. */
export interface ContextGroup {
  readonly turn: ContextTurn;
  readonly neighbours: readonly ContextTurn[];
}

/** Letters of ASCII that make a token of an English text, on average. */
const CHARS_A_TOKEN = 4;

/**
 * A block of text for a prompt: a line a turn, `[2026-05-08 13:56] Speaker: text`, in UTC and in order
 * of time, the same for the same turns. Hits come first, best first, then what stands around them,
 * as long as the budget lasts; a turn that does not fit is left out whole.
 */
export function contextBlock(
  groups: readonly ContextGroup[],
  tokenBudget: number,
): { readonly context: string; readonly tokens: number } {
  const taken = new Map<string, { readonly turn: ContextTurn; readonly line: string }>();
  let tokens = 0;
  const take = (turn: ContextTurn): void => {
    if (taken.has(turn.id)) return;
    const line = lineOf(turn);
    const more = estimateTokens(line);
    if (tokens + more > tokenBudget) return;
    tokens += more;
    taken.set(turn.id, { turn, line });
  };
  for (const { turn } of groups) take(turn);
  for (const { turn, neighbours } of groups) if (taken.has(turn.id)) neighbours.forEach(take);
  const lines = [...taken.values()].toSorted((left, right) => inTime(left.turn, right.turn));
  return { context: lines.map(({ line }) => line).join("\n"), tokens };
}

/**
 * Without the tokenizer of a model: a quarter token a letter of ASCII, a whole one for every other
 * character, one for the end of the line. For English some 5 % above what common models count; never
 * far below for any script.
 */
function estimateTokens(line: string): number {
  let ascii = 0;
  let others = 0;
  for (const character of line) {
    if (character <= "\u007f") ascii += 1;
    else others += 1;
  }
  return Math.ceil(ascii / CHARS_A_TOKEN) + others + 1;
}

function inTime(
  left: Pick<ContextTurn, "at" | "order">,
  right: Pick<ContextTurn, "at" | "order">,
): number {
  return Date.parse(left.at) - Date.parse(right.at) || left.order - right.order;
}

function lineOf({ at, speaker, text }: ContextTurn): string {
  const moment = new Date(at).toISOString().slice(0, 16).replace("T", " ");
  const who = speaker === undefined ? "" : `${oneLine(speaker)}: `;
  return `[${moment}] ${who}${oneLine(text)}`;
}

/** A turn must not be able to look like several. */
function oneLine(text: string): string {
  return text.replace(/\s+/gu, " ").trim();
}
