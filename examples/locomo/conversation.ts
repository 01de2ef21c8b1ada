import { readFileSync } from "node:fs";

/** One thing that somebody said. */
export interface Turn {
  /** Unique within its conversation: `session-03:turn-017`. Zeros keep keys in the order of speech. */
  readonly key: string;
  readonly session: number;
  readonly speaker: string;
  readonly text: string;
  /** When the session was, ISO 8601; empty when the input does not say. */
  readonly at: string;
}

export interface Conversation {
  readonly id: string;
  readonly turns: readonly Turn[];
}

/** One conversation as LoCoMo writes it: `session_1`, `session_1_date_time`, `session_2`, … */
interface LocomoSample {
  readonly sample_id: string;
  readonly conversation: { readonly [name: string]: unknown };
}

interface LocomoTurn {
  readonly speaker: string;
  readonly text: string;
}

const SESSION = /^session_(\d+)$/;
const SPOKEN_AT = /^(\d+):(\d+) (am|pm) on (\d+) (\w+), (\d+)$/;
const MONTHS =
  "January February March April May June July August September October November December";

/** The conversations of a file in LoCoMo's format. */
export function readLocomo(file: string): Conversation[] {
  const samples: unknown = JSON.parse(readFileSync(file, "utf8"));
  if (!Array.isArray(samples)) throw new Error(`${file}: expected a list of conversations`);
  return (samples as readonly LocomoSample[]).map(({ sample_id: id, conversation }) => ({
    id,
    turns: Object.entries(conversation).flatMap(([name, turns]) => {
      const session = Number(SESSION.exec(name)?.[1] ?? 0);
      if (session === 0 || !Array.isArray(turns)) return [];
      const at = isoTime(conversation[`${name}_date_time`]);
      return (turns as readonly LocomoTurn[]).map(({ speaker, text }, index) =>
        makeTurn({ session, index, speaker, text, at }),
      );
    }),
  }));
}

function makeTurn(parts: Omit<Turn, "key"> & { readonly index: number }): Turn {
  const { index, ...turn } = parts;
  const session = String(turn.session).padStart(2, "0");
  return { key: `session-${session}:turn-${String(index + 1).padStart(3, "0")}`, ...turn };
}

/** `1:56 pm on 8 May, 2023` as ISO 8601. */
function isoTime(text: unknown): string {
  const parts = typeof text === "string" ? SPOKEN_AT.exec(text) : null;
  if (parts === null) return "";
  const [, hour, minute, half, day, month, year] = parts;
  const hours = (Number(hour) % 12) + (half === "pm" ? 12 : 0);
  const monthIndex = MONTHS.split(" ").indexOf(month ?? "");
  return new Date(
    Date.UTC(Number(year), monthIndex, Number(day), hours, Number(minute)),
  ).toISOString();
}

const SPEAKERS = ["Nadia", "Tomas"] as const;
const OPENERS = ["Guess what:", "By the way,", "I forgot to tell you:", "You were right,", "Well,"];
const EVENTS = [
  "the garden beans came up",
  "my sister moved to the coast",
  "I signed up for the pottery class",
  "the old bicycle is fixed",
  "we adopted a grey cat",
  "the choir sings on Sunday",
];
const CLOSERS = ["What about you?", "I am so glad.", "Remind me next week.", "Can you believe it?"];
const DAY_MS = 24 * 3600 * 1000;
const FIRST_DAY_MS = Date.UTC(2024, 2, 1, 18, 0);

export interface GenerateOptions {
  readonly seed: number;
  readonly conversations: number;
  readonly sessions: number;
  readonly turnsPerSession: number;
}

/** Made-up conversations, the same for the same seed. */
export function generateConversations(options: GenerateOptions): Conversation[] {
  const random = seededRandom(options.seed);
  const pick = (texts: readonly string[]): string =>
    texts[Math.floor(random() * texts.length)] ?? "";
  return Array.from({ length: options.conversations }, (_, number) => ({
    id: `made-up-${number + 1}`,
    turns: Array.from({ length: options.sessions }, (__, day) =>
      Array.from({ length: options.turnsPerSession }, (___, index) =>
        makeTurn({
          session: day + 1,
          index,
          speaker: SPEAKERS[index % SPEAKERS.length] ?? "",
          text: `${pick(OPENERS)} ${pick(EVENTS)}. ${pick(CLOSERS)}`,
          at: new Date(FIRST_DAY_MS + day * 7 * DAY_MS).toISOString(),
        }),
      ),
    ).flat(),
  }));
}

/** Repeatable numbers in [0, 1). */
export function seededRandom(seed: number): () => number {
  let state = seed % 2_147_483_647 || 1;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}
