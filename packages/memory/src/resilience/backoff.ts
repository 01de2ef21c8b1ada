import type { Random } from "../model/clock.ts";

export interface BackoffOptions {
  readonly firstMs: number;
  readonly maxMs: number;
}

/** Pause before retry number `attempt` (1 = the first): doubling, bounded, and all of it by chance. */
export function backoffMs(attempt: number, options: BackoffOptions, random: Random): number {
  const ceilingMs = Math.min(options.maxMs, options.firstMs * 2 ** (attempt - 1));
  return Math.ceil(random() * ceilingMs);
}
