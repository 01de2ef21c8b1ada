/** One turn of a conversation: the realistic 1 KB value of all cases. */
export interface Turn {
  readonly turn: number;
  readonly conversation: string;
  readonly speaker: string;
  readonly at: string;
  readonly text: string;
  readonly entities: readonly string[];
  readonly importance: number;
  readonly source: { readonly channel: string; readonly device: string; readonly tokens: number };
}

/** Items that are hot in the cases of hits. */
export const HOT_ITEMS = 1000;
const TURN_BYTES = 1024;
const WORDS =
  "the plan for next week is to visit her old friend near lake before summer ends and maybe paint again because work was long but good so we talked about music books travel food family dogs running".split(
    " ",
  );
const PEOPLE = ["Ada", "Grace", "Alan", "Edsger", "Barbara", "Donald", "Radia", "Leslie"];

/** Repeatable numbers in [0, 1): mulberry32. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

function pick<T>(items: readonly T[], random: () => number): T {
  const item = items[Math.floor(random() * items.length)];
  if (item === undefined) throw new Error("expected a list with items");
  return item;
}

/** A value whose JSON has exactly 1,024 bytes. */
export function makeTurn(turn: number): Turn {
  const random = seededRandom(turn + 1);
  const base: Turn = {
    turn,
    conversation: `conversation-${turn % 97}`,
    speaker: pick(PEOPLE, random),
    at: new Date(1_700_000_000_000 + turn * 61_000).toISOString(),
    text: "",
    entities: [pick(PEOPLE, random), pick(WORDS, random), pick(WORDS, random)],
    importance: Math.round(random() * 100) / 100,
    source: { channel: "chat", device: "phone", tokens: 100 + Math.floor(random() * 100) },
  };
  const room = TURN_BYTES - JSON.stringify(base).length;
  let text = "";
  while (text.length < room) text += `${pick(WORDS, random)} `;
  return { ...base, text: text.slice(0, room) };
}

/** Keys made at run time, as an application makes them: `user:17:turn:4711`. */
export function makeKeys(count: number): string[] {
  return Array.from({ length: count }, (_, index) => ["user", index % 97, "turn", index].join(":"));
}

/** Indexes below `count` in random order, a power of two many so that a loop can mask. */
export function randomOrder(count: number, length: number, seed: number): Uint32Array {
  const random = seededRandom(seed);
  return Uint32Array.from({ length }, () => Math.floor(random() * count));
}
