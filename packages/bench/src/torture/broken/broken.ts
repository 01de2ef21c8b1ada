import type { SkewedClock } from "../servers/skewed-clock.ts";

type Break = (clock: SkewedClock) => void;

const BREAKS: { readonly [name: string]: Break } = {};

/** Replaces a part of the product in this process by one that is wrong. */
export function breakPart(name: string, clock: SkewedClock): void {
  const found = BREAKS[name];
  if (found === undefined) throw new Error(`there is no broken part ${name}`);
  found(clock);
}
