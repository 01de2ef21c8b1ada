import type { Clock } from "../model/clock.ts";
import type { AuthorityTier } from "../tiers/authority.ts";
import { AUTHORITY_READS, AUTHORITY_WRITES } from "./faulty-tier.ts";
import { intercept } from "./intercept.ts";

export interface Delay {
  /** Before the call reaches the tier. */
  readonly beforeMs?: number;
  /** Between the tier's answer and the caller. */
  readonly afterMs?: number;
}

export interface SlowOptions {
  readonly clock: Clock;
  /** How slow this call is; undefined = not slowed. */
  readonly delay: (method: string) => Delay | undefined;
}

const CALLS = new Set([...AUTHORITY_READS, ...AUTHORITY_WRITES]);

/** An authority that takes its time, on the clock given: with a manual one nobody really waits. */
export function slowAuthority(inner: AuthorityTier, options: SlowOptions): AuthorityTier {
  const { clock, delay } = options;
  return intercept(inner, CALLS, async (method, proceed) => {
    const { beforeMs = 0, afterMs = 0 } = delay(method) ?? {};
    if (beforeMs > 0) await clock.sleep(beforeMs);
    const answer = await proceed();
    if (afterMs > 0) await clock.sleep(afterMs);
    return answer;
  });
}
