import type { History, Load } from "../history/history.ts";
import { checkFinals } from "./check-finals.ts";
import { checkServers, checkSessions } from "./check-order.ts";
import { checkLoads, checkReads } from "./check-reads.ts";
import { checkCounters, checkWrites } from "./check-writes.ts";
import { splitByKey } from "./key-history.ts";
import { placeWrites } from "./placing.ts";
import { VIOLATION_KINDS } from "./violation.ts";
import type { Violation, ViolationKind } from "./violation.ts";

export interface CheckOptions {
  /** How old a read that asks for no more may be. */
  readonly boundMs: number;
  /**
   * What binds a server's later reads. A cache beside a database is not told of reads and writes
   * that pass it by.
   */
  readonly counts: "everything" | "cached reads";
}

export interface Verdict {
  readonly violations: readonly Violation[];
  /** Values put back by a loader that had been overtaken; each is a violation too. */
  readonly staleLoads: readonly Load[];
}

/**
 * Judges a recorded history. Only what is wrong in every order of events that is possible counts: a
 * write without an answer may have happened at any time, so nothing is concluded from it until a read
 * shows it.
 */
export function check(history: History, options: CheckOptions): Verdict {
  const { placed, misplaced } = placeWrites(history);
  const violations: Violation[] = misplaced.map((one) => ({ kind: "disagree", ...one }));
  const staleLoads: Load[] = [];
  for (const keyHistory of splitByKey(history, placed)) {
    violations.push(
      ...checkReads(keyHistory, options.boundMs),
      ...checkServers(keyHistory, options.counts),
      ...checkSessions(keyHistory),
      ...checkWrites(keyHistory),
    );
    const loads = history.loads.filter(({ key }) => key === keyHistory.key);
    for (const { load, violation } of checkLoads(keyHistory, loads)) {
      staleLoads.push(load);
      violations.push(violation);
    }
  }
  violations.push(...checkFinals(history.finals, placed), ...checkCounters(history.counters));
  return { violations, staleLoads };
}

export type ViolationCounts = { readonly [kind in ViolationKind]: number };

export function countViolations(violations: readonly Violation[]): ViolationCounts {
  const count = (kind: ViolationKind): number =>
    violations.filter((violation) => violation.kind === kind).length;
  return Object.fromEntries(VIOLATION_KINDS.map((kind) => [kind, count(kind)])) as ViolationCounts;
}
