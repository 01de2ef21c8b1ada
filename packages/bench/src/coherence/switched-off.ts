/**
 * The same code without the protocol, by doubles in a process of the bench alone. Nothing here is safe
 * where anybody else writes.
 */
import { FillGuard } from "../../../memory/src/coherence/fill-guard.ts";
import { Follower } from "../../../memory/src/coherence/follower.ts";
import { SharedCopies } from "../../../memory/src/coherence/shared-copies.ts";
import { Validity } from "../../../memory/src/coherence/validity.ts";

/** Copies are believed for ever, nothing stops a late fill, nobody reads the log, nobody is told. */
export function switchOff(): void {
  Validity.prototype.holds = () => true;
  const token = new FillGuard().begin();
  FillGuard.prototype.begin = () => token;
  FillGuard.prototype.end = () => {};
  FillGuard.prototype.raise = () => {};
  // The first poll tells the epoch; there is no second.
  Follower.prototype.start = function start(this: Follower) {
    return this.poll();
  };
  SharedCopies.prototype.settle = async (changes) => changes.map(() => "skipped");
}
