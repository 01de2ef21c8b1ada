/**
 * Parts of the product that can be replaced by wrong ones, in a server's process of a torture only:
 * the checker must catch each. Prototypes are patched here, so that the product has no such switch.
 */
import type { SkewedClock } from "../servers/skewed-clock.ts";
import { busInsteadOfLog } from "./bus.ts";
import { deafToClears, noFlushOnGap, noOutboxRetry } from "./follow.ts";
import { countFromAnswer, noDeadline, noFillToken, noVersionCheck } from "./copies.ts";
import { noSessionFloor } from "./sessions.ts";
import { acknowledgeAnyway, noClaim, noConditions } from "./writes.ts";

export interface BreakContext {
  readonly clock: SkewedClock;
  readonly redisUrl: string | undefined;
}

type Break = (context: BreakContext) => void;

const BREAKS: { readonly [name: string]: Break } = {
  acknowledgeAnyway,
  busInsteadOfLog,
  countFromAnswer,
  deafToClears,
  noClaim,
  noConditions,
  noDeadline,
  noFillToken,
  noFlushOnGap,
  noOutboxRetry,
  noSessionFloor,
  noVersionCheck,
  // Its part lies in the database: see wall-clock-versions.ts.
  wallClockVersions: () => {},
};

/** Replaces a part of the product in this process by one that is wrong. */
export function breakPart(name: string, context: BreakContext): void {
  const found = BREAKS[name];
  if (found === undefined) throw new Error(`there is no broken part ${name}`);
  found(context);
}
