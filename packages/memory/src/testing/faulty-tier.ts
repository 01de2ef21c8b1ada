import type { ItemRecord, ObjectRecord } from "../model/item.ts";
import type { AuthorityTier } from "../tiers/authority.ts";
import type { LocalTier } from "../tiers/tier.ts";
import { damage, faultError } from "./fault-plan.ts";
import type { FaultPlan } from "./fault-plan.ts";
import { intercept } from "./intercept.ts";

/** Every call of an authority that does I/O, and whether it can change data: leases are none. */
export const AUTHORITY_READS: ReadonlySet<string> = new Set([
  "getMany",
  "newestVersions",
  "takeLease",
  "renewLease",
  "releaseLease",
  "search",
  "exportPage",
  "readChanges",
  "changePosition",
  "loadConsumer",
  "follow",
  "readJob",
  "unfinishedJobs",
  "refreshUsage",
]);

export const AUTHORITY_WRITES: ReadonlySet<string> = new Set([
  "write",
  "modify",
  "forgetChunk",
  "clear",
  "saveConsumer",
  "createJob",
  "advanceJob",
  "sweep",
]);

const AUTHORITY_CALLS = new Set([...AUTHORITY_READS, ...AUTHORITY_WRITES]);

/** An authority whose calls fail as the plan says. */
export function faultyAuthority(inner: AuthorityTier, plan: FaultPlan): AuthorityTier {
  return intercept(inner, AUTHORITY_CALLS, async (method, proceed) => {
    const writes = AUTHORITY_WRITES.has(method);
    const fault = plan.next(method, writes);
    if (fault === "before") throw faultError(fault, method, writes);
    const answer = await proceed();
    if (fault === "after") throw faultError(fault, method, writes);
    return fault === "garbage" ? damage(answer) : answer;
  });
}

const LOCAL_CALLS: ReadonlySet<string> = new Set([
  "find",
  "findText",
  "findValueText",
  "inspect",
  "offer",
  "drop",
  "dropNamespace",
  "flush",
  "sweep",
]);

/** A tier of copies whose calls fail as the plan says. */
export function faultyLocalTier<R extends ItemRecord | ObjectRecord>(
  inner: LocalTier<R>,
  plan: FaultPlan,
): LocalTier<R> {
  return intercept(inner, LOCAL_CALLS, (method, proceed) => {
    const fault = plan.next(method, false);
    if (fault === "before") throw faultError(fault, method, false);
    const answer = proceed();
    if (fault === "after") throw faultError(fault, method, false);
    return fault === "garbage" ? damage(answer) : answer;
  });
}
