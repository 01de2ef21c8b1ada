import type { History, Write, WriteId } from "../history/history.ts";

/** A write with all that its receipt and the reads that showed it tell about its place in time. */
export interface Placed {
  readonly write: Write;
  readonly version: number | undefined;
  /** At the latest then it had happened; Infinity: perhaps never. */
  readonly doneBy: number;
}

/** What a read can show that no right system would: found while the writes are put in place. */
export interface Misplaced {
  readonly key: string;
  readonly message: string;
}

/**
 * How long a write without an answer may still take effect. All time limits of clients and servers
 * and all stalls that faults cause are far below it.
 */
export const UNKNOWN_LIFETIME_MS = 30_000;

interface Facts {
  version: number | undefined;
  doneBy: number;
}

function factsOf(write: Write): Facts {
  const isDone = write.outcome === "acknowledged" && write.end !== undefined;
  return { version: write.version, doneBy: isDone ? (write.end ?? Infinity) : Infinity };
}

/** Everything that may have happened, by id; refused writes are not among it. */
export function placeWrites(history: History): {
  readonly placed: ReadonlyMap<WriteId, Placed>;
  readonly misplaced: readonly Misplaced[];
} {
  const writes = new Map(history.writes.map((write) => [writeKey(write.id, write.key), write]));
  const facts = new Map<Write, Facts>();
  for (const write of history.writes) facts.set(write, factsOf(write));
  const misplaced: Misplaced[] = [];
  for (const read of history.reads) {
    if (read.shown === undefined) continue;
    const write = writes.get(writeKey(read.shown, read.key));
    const known = write && facts.get(write);
    const problem = write === undefined ? "that nobody wrote" : refusal(write);
    if (write === undefined || known === undefined || problem !== undefined) {
      misplaced.push({ key: read.key, message: `${read.server} showed a value ${problem ?? ""}` });
      continue;
    }
    known.doneBy = Math.min(known.doneBy, read.end);
    if (read.version === undefined) continue;
    known.version ??= read.version;
    if (known.version !== read.version)
      misplaced.push({
        key: read.key,
        message: `one value under versions ${known.version} and ${read.version}`,
      });
  }
  completeGroups(facts);
  const placed = new Map<WriteId, Placed>();
  for (const [write, known] of facts)
    if (write.outcome !== "refused") placed.set(write.id, { write, ...known });
  return { placed, misplaced };
}

function writeKey(id: WriteId, key: string): string {
  return `${id} ${key}`;
}

function refusal(write: Write): string | undefined {
  if (write.kind === "remove") return "of a removal";
  return write.outcome === "refused" ? "whose write was refused as surely not done" : undefined;
}

/** One write of an atomic batch that was seen proves all of them. */
function completeGroups(facts: ReadonlyMap<Write, Facts>): void {
  const doneBy = new Map<number, number>();
  for (const [{ group }, known] of facts)
    if (group !== undefined)
      doneBy.set(group, Math.min(doneBy.get(group) ?? Infinity, known.doneBy));
  for (const [{ group }, known] of facts)
    if (group !== undefined) known.doneBy = doneBy.get(group) ?? known.doneBy;
}

/** True only where no order of events is possible in which `first` is the newer one. */
export function isSurelyBefore(first: Placed, second: Placed): boolean {
  if (first.version !== undefined && second.version !== undefined)
    return first.version < second.version;
  return first.doneBy < second.write.start;
}
