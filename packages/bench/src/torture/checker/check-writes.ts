import type { Counter } from "../history/history.ts";
import { Floors } from "./floors.ts";
import { place } from "./check-reads.ts";
import type { KeyHistory } from "./key-history.ts";
import type { Violation } from "./violation.ts";

/** A later write has a greater version, and one version is replaced once. */
export function checkWrites(history: KeyHistory): Violation[] {
  const done = [...history.puts, ...history.removals].filter(
    ({ write }) => write.outcome === "acknowledged",
  );
  const floors = new Floors(
    done.map((one) => ({
      at: one.doneBy,
      version: one.version,
      start: -Infinity,
      put: undefined,
    })),
  );
  const backwards = done.flatMap((one): Violation[] => {
    const floor = floors.before(one.write.start).version;
    if (one.version === undefined || one.version > floor) return [];
    const message = `${place(one)} came after version ${floor}`;
    return [{ kind: "nonMonotonic", key: history.key, message }];
  });
  return [...backwards, ...replacedTwice(history)];
}

function replacedTwice(history: KeyHistory): Violation[] {
  const replaced = new Set<number>();
  return history.puts.flatMap(({ write }): Violation[] => {
    if (write.replaces === undefined || write.outcome !== "acknowledged") return [];
    if (!replaced.has(write.replaces)) {
      replaced.add(write.replaces);
      return [];
    }
    const message = `version ${write.replaces} was replaced twice, the second time by #${write.id}`;
    return [{ kind: "lostUpdate", key: history.key, message }];
  });
}

/** Every acknowledged increment counts once; one without an answer once or not at all. */
export function checkCounters(counters: readonly Counter[]): Violation[] {
  return counters.flatMap(({ key, acknowledged, unknown, final }): Violation[] => {
    if (final !== undefined && final >= acknowledged && final <= acknowledged + unknown) return [];
    const message = `it is ${final ?? "not there"} after ${acknowledged} acknowledged increments and ${unknown} without an answer`;
    return [{ kind: "lostUpdate", key, message }];
  });
}
