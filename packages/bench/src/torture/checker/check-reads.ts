import type { Load, Read } from "../history/history.ts";
import { mayBeGone } from "./absence.ts";
import { Floors, isBelow } from "./floors.ts";
import type { Mark } from "./floors.ts";
import type { Placed } from "./placing.ts";
import type { KeyHistory } from "./key-history.ts";
import type { Violation, ViolationKind } from "./violation.ts";

/** Two clock reads in one process: only rounding lies between them. */
const GRAIN_MS = 1;
/** The database's clock counts lifetimes, ours the run; a busy machine starts neither exactly. */
const EXPIRY_SLACK_MS = 100;

/** Reads against all that had surely happened: `latest` at their start, others one bound before. */
export function checkReads(history: KeyHistory, boundMs: number): Violation[] {
  const done = [...history.puts, ...history.removals].filter(({ doneBy }) => doneBy < Infinity);
  const all = new Floors(done.map(markOf));
  const removed = new Floors(
    history.removals.filter(({ doneBy }) => doneBy < Infinity).map(markOf),
  );
  return history.reads.flatMap((read) => {
    const from = read.mode === "latest" ? read.start : read.start - boundMs - GRAIN_MS;
    const floor = all.before(from);
    const violation = (kind: ViolationKind, message: string): Violation[] => [
      { kind, key: read.key, message: `${describe(read)}: ${message}` },
    ];
    const behind = read.mode === "latest" ? "lost" : "overBound";
    if (read.shown === undefined) {
      const missing = floor.puts.find((put) => !mayBeGone(put, history, read));
      return missing === undefined ? [] : violation(behind, `nothing, after ${place(missing)}`);
    }
    const shown = history.byId.get(read.shown);
    if (shown === undefined) return [];
    if (isBelow(shown, removed.before(from)))
      return violation("resurrected", `${place(shown)}, which had been removed`);
    if (isExpired(shown, read)) return violation("resurrected", `${place(shown)}, past its time`);
    if (isBelow(shown, floor))
      return violation(behind, `${place(shown)}, after ${floor.puts.map(place).join(" and ")}`);
    return [];
  });
}

/** A loader's value that was stored although the item was written or removed while it loaded. */
export interface StaleLoad {
  readonly load: Load;
  readonly violation: Violation;
}

/**
 * What a loader brings is as old as the moment at which it asked. It may come to its caller alone, who
 * is not among the reads; whoever else is shown it proves that it was stored over something newer.
 */
export function checkLoads(history: KeyHistory, loads: readonly Load[]): readonly StaleLoad[] {
  const writes = [...history.puts, ...history.removals];
  return loads.flatMap((load): StaleLoad[] => {
    const overtaking = writes.filter(
      ({ write, doneBy }) =>
        write.id !== load.id && write.start > load.askedAt && doneBy < load.answeredAt,
    );
    const read = history.reads.find(({ shown }) => shown === load.id);
    if (overtaking.length === 0 || read === undefined) return [];
    const kind = overtaking.some(({ write }) => write.kind === "put") ? "lost" : "resurrected";
    const span = `asked at ${load.askedAt.toFixed(0)} ms and answered at ${load.answeredAt.toFixed(0)} ms`;
    const message = `${describe(read)}: #${load.id}, which a loader ${span}, stored after ${overtaking.map(place).join(" and ")}`;
    return [{ load, violation: { kind, key: load.key, message } }];
  });
}

function markOf(done: Placed): Mark {
  const put = done.write.kind === "put" ? done : undefined;
  return { at: done.doneBy, version: done.version, start: done.write.start, put };
}

function isExpired(shown: Placed, read: Read): boolean {
  const { ttlMs, end, outcome } = shown.write;
  if (ttlMs === undefined || end === undefined || outcome !== "acknowledged") return false;
  return read.start > end + ttlMs + EXPIRY_SLACK_MS;
}

export function place({ write, version, doneBy }: Placed): string {
  const until = doneBy === Infinity ? "unknown" : doneBy.toFixed(0);
  return `${write.kind} #${write.id} (version ${version ?? "unknown"}, ${write.start.toFixed(0)}-${until} ms)`;
}

export function describe({ mode, server, start }: Read): string {
  return `${mode} read of ${server} at ${start.toFixed(0)} ms`;
}
