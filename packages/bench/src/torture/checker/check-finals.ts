import type { FinalAnswer, WriteId } from "../history/history.ts";
import { place } from "./check-reads.ts";
import { isSurelyBefore } from "./placing.ts";
import type { Placed } from "./placing.ts";
import type { Violation } from "./violation.ts";

/** When writes have stopped, every server agrees with the authority on every key. */
export function checkFinals(
  finals: readonly FinalAnswer[],
  placed: ReadonlyMap<WriteId, Placed>,
): Violation[] {
  return finals.flatMap((answer): Violation[] => {
    if (answer.shown === answer.truth) return [];
    const shown = answer.shown === undefined ? undefined : placed.get(answer.shown);
    const truth = answer.truth === undefined ? undefined : placed.get(answer.truth);
    // The authority was asked first: its time may have come since.
    if (shown === undefined && truth?.write.ttlMs !== undefined) return [];
    const told = `${answer.server} shows ${shown ? place(shown) : "nothing"}, the authority ${truth ? place(truth) : "nothing"}`;
    return [{ kind: kindOf(shown, truth), key: answer.key, message: `after quiet ${told}` }];
  });
}

function kindOf(shown: Placed | undefined, truth: Placed | undefined): Violation["kind"] {
  if (shown === undefined) return "disagree";
  if (truth === undefined) return "resurrected";
  return isSurelyBefore(shown, truth) ? "stale" : "disagree";
}
