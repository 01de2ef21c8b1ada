import type { JsonValue } from "../model/item.ts";
import { isPlainObject } from "../model/json-check.ts";
import type { DocumentFacts } from "../tiers/keyword.ts";

/** Of the value of a memory. One of another format is an ordinary item to this release. */
const MEMORY_FORMAT = 1;

/** Where the searchable text of a memory lies in its value. */
export const MEMORY_TEXT_PATH = "$.text";

/** A memory is an ordinary item whose value is this: readable, patchable, exportable as all are. */
export interface MemoryValue {
  readonly memoryFormat: typeof MEMORY_FORMAT;
  readonly text: string;
  readonly speaker?: string;
  readonly sessionId?: string;
  /** When it was said or happened, in world time, ISO 8601. */
  readonly at: string;
  /**
   * When it arrived: whole microseconds since the epoch by the clock of the server that took it, moved
   * on so that no two of one server are equal. Kept when the memory is updated. Turns of a session are
   * in order of `at`, then of this.
   */
  readonly order: number;
  /** 0 to 1. */
  readonly importance?: number;
  readonly pinned?: true;
  /** From when on it holds in the world; by default from `at`. */
  readonly validFrom?: string;
  /** It holds no more from then on, because `supersededBy` does. */
  readonly validTo?: string;
  readonly supersededBy?: string;
  /** Ids of the memories in whose place it came. */
  readonly supersedes?: readonly string[];
  /** How often it was said: the same words by the same speaker in one session are one memory. */
  readonly count: number;
  /** Id of an earlier memory that says the same in other words. */
  readonly duplicateOf?: string;
}

export type MemoryFields = Omit<MemoryValue, "memoryFormat">;

export function memoryValue(fields: MemoryFields): MemoryValue {
  return { memoryFormat: MEMORY_FORMAT, ...fields };
}

/** undefined: the value is no memory, or of a format that this release does not know. */
export function memoryIn(value: JsonValue): MemoryValue | undefined {
  if (!isPlainObject(value)) return undefined;
  const { memoryFormat, text, at, order, count } = value as Partial<MemoryValue>;
  const isMemory =
    memoryFormat === MEMORY_FORMAT &&
    typeof text === "string" &&
    typeof at === "string" &&
    !Number.isNaN(Date.parse(at)) &&
    typeof order === "number" &&
    typeof count === "number";
  return isMemory && hasSoundOptions(value) ? (value as unknown as MemoryValue) : undefined;
}

const OPTIONAL_TYPES: { readonly [name: string]: "string" | "number" | "boolean" } = {
  speaker: "string",
  sessionId: "string",
  importance: "number",
  pinned: "boolean",
  validFrom: "string",
  validTo: "string",
  supersededBy: "string",
  duplicateOf: "string",
};

/** Anybody may have written the value: what is there is of its type, or it is no memory. */
function hasSoundOptions(value: object): boolean {
  return Object.entries(value).every(([name, member]) => {
    const type = Object.hasOwn(OPTIONAL_TYPES, name) ? OPTIONAL_TYPES[name] : undefined;
    if (name === "supersedes") return Array.isArray(member);
    return type === undefined || typeof member === type;
  });
}

/** What the index knows of a memory beside its words; of any other value nothing. */
export function memoryFacts(value: JsonValue): DocumentFacts {
  const memory = memoryIn(value);
  if (memory === undefined) return {};
  const { sessionId, order, at, speaker } = memory;
  return {
    ...(sessionId === undefined ? {} : { session: sessionId }),
    position: order,
    atMs: Date.parse(at),
    ...(speaker === undefined ? {} : { speaker }),
  };
}

/** Whether it held at that time; what was said later is not known yet then. */
export function heldAt(memory: MemoryFields, atMs: number): boolean {
  const { validFrom = memory.at, validTo } = memory;
  return Date.parse(validFrom) <= atMs && (validTo === undefined || atMs < Date.parse(validTo));
}

/**
 * Whether it holds as far as is known by now. Being said in the future is no reason against it, for
 * clocks differ; to be valid from then on only is.
 */
export function holdsNow({ validFrom, validTo }: MemoryFields, nowMs: number): boolean {
  const hasBegun = validFrom === undefined || Date.parse(validFrom) <= nowMs;
  return hasBegun && (validTo === undefined || nowMs < Date.parse(validTo));
}
