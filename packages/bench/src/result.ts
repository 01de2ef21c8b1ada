/** One measured goal. `ratio` is ours against the peer's; null where nothing could be measured. */
export interface Result {
  readonly name: string;
  readonly value: number | null;
  readonly unit: string;
  readonly peer: string;
  readonly peerValue: number | null;
  readonly ratio: number | null;
  /** Such as `ratio >= 0.5`. */
  readonly goal: string;
  readonly met: boolean;
  /** How it was measured, or why it was not. */
  readonly note?: string;
}

/** All results of one suite: what `--json` prints. */
export interface Report {
  readonly suite: string;
  readonly machine: string;
  readonly node: string;
  readonly date: string;
  readonly results: readonly Result[];
}

/** A bound on a result's ratio, or on its value. */
export interface Goal {
  readonly of: "ratio" | "value";
  readonly bound: "at least" | "at most";
  readonly limit: number;
}

export const atLeast = (limit: number): Goal => ({ of: "ratio", bound: "at least", limit });
export const atMost = (limit: number): Goal => ({ of: "ratio", bound: "at most", limit });
export const valueAtMost = (limit: number): Goal => ({ of: "value", bound: "at most", limit });

export interface Measured {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly peer: string;
  readonly peerValue: number;
  readonly ratio: number;
  readonly goal: Goal;
  readonly note?: string;
}

/** Judges what was measured by its goal. */
export function judge(measured: Measured): Result {
  const { goal, ...rest } = measured;
  const subject = goal.of === "ratio" ? measured.ratio : measured.value;
  const met = goal.bound === "at least" ? subject >= goal.limit : subject <= goal.limit;
  const sign = goal.bound === "at least" ? ">=" : "<=";
  return { ...rest, goal: `${goal.of} ${sign} ${goal.limit}`, met };
}

/** A goal that could not be measured counts as missed. */
export function unmeasured(name: string, why: string): Result {
  return {
    name,
    value: null,
    unit: "",
    peer: "",
    peerValue: null,
    ratio: null,
    goal: "measured",
    met: false,
    note: why,
  };
}
