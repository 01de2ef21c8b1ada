import { readFileSync } from "node:fs";

/**
 * LoCoMo: long conversations of two people, and questions with the turns that answer them. Its
 * licence (CC BY-NC 4.0) lets us measure with it, not ship it: the file stays where the user has it.
 */
export interface Conversation {
  readonly id: string;
  readonly turns: readonly ConversationTurn[];
  readonly questions: readonly EvidenceQuestion[];
}

export interface ConversationTurn {
  /** `D3:12`: session and number within it. */
  readonly id: string;
  readonly session: number;
  /** 0 for the first turn of its session. */
  readonly position: number;
  readonly speaker: string;
  readonly text: string;
  /** Of the session, in world time; undefined where the file has none that can be read. */
  readonly atMs: number | undefined;
}

export interface EvidenceQuestion {
  readonly text: string;
  readonly category: Category;
  /** Ids of turns, each of which exists, without duplicates; never empty. */
  readonly evidence: readonly string[];
}

export const CATEGORIES = [
  "multi-hop",
  "temporal",
  "open-domain",
  "single-hop",
  "adversarial",
] as const;
export type Category = (typeof CATEGORIES)[number];

interface RawTurn {
  readonly speaker: string;
  readonly dia_id: string;
  readonly text: string;
  readonly blip_caption?: string;
}
interface RawQuestion {
  readonly question: string;
  readonly category: number;
  readonly evidence?: readonly string[];
}
interface RawSample {
  readonly sample_id: string;
  readonly conversation: Readonly<Record<string, unknown>>;
  readonly qa: readonly RawQuestion[];
}

export function loadConversations(file: string): Conversation[] {
  return parseConversations(readFileSync(file, "utf8"));
}

export function parseConversations(json: string): Conversation[] {
  const samples: unknown = JSON.parse(json);
  if (!Array.isArray(samples)) throw new Error("a LoCoMo file is a JSON list of conversations");
  return samples.map((sample: RawSample) => readSample(sample));
}

function readSample({ sample_id, conversation, qa }: RawSample): Conversation {
  const turns = [...readTurns(conversation)];
  const known = new Set(turns.map(({ id }) => id));
  const questions = qa.flatMap(({ question, category, evidence }) => {
    const ids = evidenceIds(evidence ?? []).filter((id) => known.has(id));
    const name = CATEGORIES[category - 1];
    if (ids.length === 0) return [];
    if (name === undefined) throw new Error(`${sample_id}: category ${category} is not 1 to 5`);
    return [{ text: question, category: name, evidence: ids }];
  });
  return { id: sample_id, turns, questions };
}

function* readTurns(conversation: RawSample["conversation"]): Generator<ConversationTurn> {
  const sessions = Object.keys(conversation)
    .flatMap((name) => /^session_(\d+)$/u.exec(name)?.[1] ?? [])
    .map(Number)
    .sort((left, right) => left - right);
  for (const session of sessions) {
    const turns = conversation[`session_${session}`];
    if (!Array.isArray(turns)) continue;
    const atMs = parseTime(conversation[`session_${session}_date_time`]);
    for (const [position, turn] of (turns as readonly RawTurn[]).entries())
      yield {
        id: turn.dia_id,
        session,
        position,
        speaker: turn.speaker,
        text: turnText(turn),
        atMs,
      };
  }
}

/** An image is known by its caption, on a line of its own. */
function turnText({ text, blip_caption: caption }: RawTurn): string {
  return caption === undefined ? text : `${text}\n${caption}`;
}

/** The file writes several ids in one string, `D:8:6` and `D30:05`. */
export function evidenceIds(written: readonly string[]): string[] {
  const ids = written
    .flatMap((each) => each.split(/[;\s]+/u))
    .map((id) => id.replace(/^D:/u, "D").replace(/:0+(?=\d)/u, ":"))
    .filter((id) => /^D\d+:\d+$/u.test(id));
  return [...new Set(ids)];
}

/** `1:56 pm on 8 May, 2023`, taken as UTC: the file names no zone. */
export function parseTime(written: unknown): number | undefined {
  if (typeof written !== "string") return undefined;
  const match = /^(\d+):(\d\d) (am|pm) on (\d+) (\w+),? (\d{4})$/u.exec(written.trim());
  if (match === null) return undefined;
  const [, hour, minute, half, day, month, year] = match;
  const hours = (Number(hour) % 12) + (half === "pm" ? 12 : 0);
  const midnight = Date.parse(`${day} ${month} ${year} UTC`);
  return Number.isNaN(midnight) ? undefined : midnight + (hours * 60 + Number(minute)) * 60_000;
}
