import type { Turn } from "./turn.ts";

/** Turns of one session this far apart in position are no neighbours: what lay between is not here. */
const GAP_MAX = 2;

/** Who stands beside whom. Everything is by index into the turns as given. */
export interface Layout {
  /** Turn before in the same session, or -1. */
  readonly before: Int32Array;
  readonly after: Int32Array;
  /** Number of the session, or -1. */
  readonly session: Int32Array;
  readonly sessions: number;
}

export function layOut(turns: readonly Turn[]): Layout {
  const count = turns.length;
  const layout: Layout = {
    before: new Int32Array(count).fill(-1),
    after: new Int32Array(count).fill(-1),
    session: new Int32Array(count).fill(-1),
    sessions: 0,
  };
  const groups = new Map<string, number[]>();
  turns.forEach(({ session }, index) => {
    if (session === undefined) return;
    const group = groups.get(session);
    if (group === undefined) groups.set(session, [index]);
    else group.push(index);
  });
  let number = 0;
  for (const group of groups.values()) link(layout, turns, group, number++);
  return { ...layout, sessions: number };
}

function link(layout: Layout, turns: readonly Turn[], group: number[], session: number): void {
  const position = (index: number): number => turns[index]?.position ?? index;
  group.sort((left, right) => position(left) - position(right) || left - right);
  group.forEach((index, place) => {
    layout.session[index] = session;
    const next = group[place + 1];
    if (next === undefined || position(next) - position(index) > GAP_MAX) return;
    layout.after[index] = next;
    layout.before[next] = index;
  });
}

/** The value of the turn `steps` away in the same session, 0 where there is none. */
export function shifted(values: Float64Array, layout: Layout, steps: number): Float64Array {
  const link = steps < 0 ? layout.before : layout.after;
  return Float64Array.from(values, (_, index) => {
    let at = index;
    for (let step = Math.abs(steps); step > 0 && at >= 0; step -= 1) at = link[at] ?? -1;
    return at < 0 ? 0 : (values[at] ?? 0);
  });
}
