import type { History, Read, WriteId } from "../history/history.ts";
import type { Placed } from "./placing.ts";

/** All that concerns one key. */
export interface KeyHistory {
  readonly key: string;
  readonly byId: ReadonlyMap<WriteId, Placed>;
  readonly puts: Placed[];
  readonly removals: Placed[];
  readonly reads: Read[];
}

/** Keys are judged apart: no guarantee spans two of them. */
export function splitByKey(
  history: History,
  placed: ReadonlyMap<WriteId, Placed>,
): readonly KeyHistory[] {
  const keys = new Map<string, KeyHistory>();
  const of = (key: string): KeyHistory => {
    let found = keys.get(key);
    if (found === undefined) {
      found = { key, byId: placed, puts: [], removals: [], reads: [] };
      keys.set(key, found);
    }
    return found;
  };
  for (const one of placed.values()) {
    const { puts, removals } = of(one.write.key);
    (one.write.kind === "put" ? puts : removals).push(one);
  }
  for (const read of history.reads) of(read.key).reads.push(read);
  return [...keys.values()];
}
