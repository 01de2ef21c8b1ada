import type { Read } from "../history/history.ts";
import { mayBeGone } from "./absence.ts";
import { describe, place } from "./check-reads.ts";
import { Floors, isBelow } from "./floors.ts";
import type { Floor, Mark } from "./floors.ts";
import type { KeyHistory } from "./key-history.ts";
import type { Placed } from "./placing.ts";
import type { Violation, ViolationKind } from "./violation.ts";

/** Above the version it stands behind and below the next: something that came after it was seen. */
const JUST_ABOVE = 0.5;

/** What of the history one observer (a server's life, a session) has been told. */
interface Observer {
  readonly reads: readonly Read[];
  readonly writes: readonly Placed[];
}

/** One server between restarts never goes back: not behind what it showed, nor behind what it did. */
export function checkServers(
  history: KeyHistory,
  counts: "everything" | "cached reads",
): Violation[] {
  return observers(history, (one) => one.server).flatMap(({ reads, writes }) => {
    const observed =
      counts === "everything"
        ? { reads, writes }
        : { reads: reads.filter(({ mode }) => mode === "any"), writes: [] };
    return goingBack(history, observed, observed.reads, "nonMonotonic");
  });
}

/** A session sees what it wrote (else `session`) and never less than it saw (else `nonMonotonic`). */
export function checkSessions(history: KeyHistory): Violation[] {
  return observers(history, (one) => one.session).flatMap(({ reads, writes }) => {
    const bound = reads.filter(({ mode }) => mode === "session");
    return [
      ...goingBack(history, { reads: [], writes }, bound, "session"),
      ...goingBack(history, { reads, writes: [] }, bound, "nonMonotonic"),
    ];
  });
}

function observers(
  history: KeyHistory,
  nameOf: (one: {
    readonly server: string;
    readonly session: number | undefined;
  }) => string | number | undefined,
): readonly Observer[] {
  const groups = new Map<string | number, { reads: Read[]; writes: Placed[] }>();
  const of = (name: string | number): { reads: Read[]; writes: Placed[] } => {
    const found = groups.get(name) ?? { reads: [], writes: [] };
    groups.set(name, found);
    return found;
  };
  for (const read of history.reads) {
    const name = nameOf(read);
    if (name !== undefined) of(name).reads.push(read);
  }
  for (const one of [...history.puts, ...history.removals]) {
    const name = nameOf(one.write);
    if (name !== undefined && one.write.outcome === "acknowledged") of(name).writes.push(one);
  }
  return [...groups.values()];
}

/** Reads among `judged` that show less than the observer had been told before they began. */
function goingBack(
  history: KeyHistory,
  observer: Observer,
  judged: readonly Read[],
  kind: ViolationKind,
): Violation[] {
  const told = marksOf(history, observer);
  const shownSoFar = new Floors(told);
  // After it showed a version and then nothing, that version is gone for good.
  const absences = observer.reads
    .filter(({ shown }) => shown === undefined)
    .map((read): Mark => {
      const { version } = shownSoFar.before(read.start);
      return {
        at: read.end,
        version: version + JUST_ABOVE,
        start: -Infinity,
        put: undefined,
        toldBy: read,
      };
    });
  const floors = new Floors([...told, ...absences]);
  return judged.flatMap((read) => {
    const floor = floors.before(read.start);
    const violation = (message: string): Violation[] => [
      { kind, key: read.key, message: `${describe(read)}: ${message}` },
    ];
    if (read.shown === undefined) {
      const missing = floor.puts.find((put) => !mayBeGone(put, history, read));
      return missing === undefined
        ? []
        : violation(`nothing, though told of ${place(missing)}${by(floor)}`);
    }
    const shown = history.byId.get(read.shown);
    if (shown === undefined || !isBelow(shown, floor)) return [];
    return violation(`${place(shown)}, though told of version ${floor.version}${by(floor)}`);
  });
}

function by({ toldBy }: Floor): string {
  return toldBy === undefined ? " by a write" : ` by ${describe(toldBy)}`;
}

function marksOf(history: KeyHistory, observer: Observer): Mark[] {
  const marks: Mark[] = [];
  for (const read of observer.reads) {
    const put = read.shown === undefined ? undefined : history.byId.get(read.shown);
    if (put !== undefined)
      marks.push({ at: read.end, version: put.version, start: -Infinity, put, toldBy: read });
  }
  for (const done of observer.writes) {
    const put = done.write.kind === "put" ? done : undefined;
    marks.push({ at: done.write.end ?? done.doneBy, version: done.version, start: -Infinity, put });
  }
  return marks;
}
