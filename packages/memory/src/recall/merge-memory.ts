import type { MemoryFields, MemoryValue } from "./memory-item.ts";

/** What a call says of a memory; undefined: nothing of that. Times are milliseconds. */
export interface SaidOfMemory {
  readonly text: string;
  readonly sessionId: string | undefined;
  readonly speaker: string | undefined;
  readonly atMs: number | undefined;
  readonly importance: number | undefined;
  readonly pinned: boolean | undefined;
  readonly validFromMs: number | undefined;
  readonly supersedes: readonly string[];
  readonly duplicateOf: string | undefined;
}

export interface Arrival {
  readonly nowMs: number;
  /** As in MemoryValue. */
  readonly order: number;
}

export function newMemory(said: SaidOfMemory, { nowMs, order }: Arrival): MemoryFields {
  const first = { text: said.text, at: isoOf(said.atMs ?? nowMs), order, count: 1 };
  return described(first, said);
}

/** The same id again: what is not said stays, and so does its place in the session. */
export function updatedMemory(found: MemoryValue, said: SaidOfMemory): MemoryFields {
  const { memoryFormat: _, duplicateOf, ...kept } = found;
  // What was said of another text need not hold of this one.
  const link = said.text === found.text && duplicateOf !== undefined ? { duplicateOf } : {};
  const at = said.atMs === undefined ? found.at : isoOf(said.atMs);
  return described({ ...kept, ...link, text: said.text, at }, said);
}

/** The same words again: one more, in the place and at the time of the first. */
export function countedMemory(found: MemoryValue, said: SaidOfMemory): MemoryFields {
  const { memoryFormat: _, ...kept } = found;
  return described({ ...kept, count: found.count + 1 }, said);
}

/** Of two that come in its place, the one that does so earlier in the world says until when it held. */
export function supersededMemory(
  found: MemoryValue,
  by: { readonly id: string; readonly fromMs: number },
): MemoryFields {
  const { memoryFormat: _, ...kept } = found;
  const untilMs = found.validTo === undefined ? undefined : Date.parse(found.validTo);
  if (untilMs !== undefined && untilMs <= by.fromMs) return kept;
  return { ...kept, validTo: isoOf(by.fromMs), supersededBy: by.id };
}

function described(fields: MemoryFields, said: SaidOfMemory): MemoryFields {
  const { sessionId, speaker, importance, pinned, validFromMs, supersedes, duplicateOf } = said;
  const { pinned: wasPinned, ...unpinned } = fields;
  const isPinned = pinned ?? wasPinned ?? false;
  const replaced = [...new Set([...(fields.supersedes ?? []), ...supersedes])];
  return {
    ...unpinned,
    ...(isPinned ? { pinned: true } : {}),
    ...(sessionId === undefined ? {} : { sessionId }),
    ...(speaker === undefined ? {} : { speaker }),
    ...(importance === undefined ? {} : { importance }),
    ...(validFromMs === undefined ? {} : { validFrom: isoOf(validFromMs) }),
    ...(replaced.length === 0 ? {} : { supersedes: replaced }),
    ...(duplicateOf === undefined ? {} : { duplicateOf }),
  };
}

function isoOf(ms: number): string {
  return new Date(ms).toISOString();
}
