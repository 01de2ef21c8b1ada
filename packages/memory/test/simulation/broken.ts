import { FillToken } from "../../src/coherence/fill-guard.ts";
import { ReadsAhead } from "../../src/coherence/reads-ahead.ts";
import { RecentChanges } from "../../src/coherence/recent-changes.ts";
import { FollowedSession } from "../../src/coherence/session.ts";
import { Validity } from "../../src/coherence/validity.ts";
import type { WriteOperation } from "../../src/tiers/authority.ts";
import { HotTier } from "../../src/tiers/hot/hot-tier.ts";
import { ProcessTier } from "../../src/tiers/process/process-tier.ts";
import { rollBacksThenCrash } from "./faults.ts";
import { SharedRules } from "./shared-rules.ts";
import { SimulatedAuthority } from "./simulated-authority.ts";
import type { World } from "./world.ts";

/** Takes the place of a part of the product until it is called back. */
export interface Break {
  readonly apply: () => () => void;
  /** Where the part lies in the database. */
  readonly prepare?: (world: World) => void;
  /** What happens besides, which the right part must stand too. */
  readonly trial?: (world: World) => void;
}

/** Crashes that take transaction ids back, one after another. */
function manyCrashes(world: World): void {
  const { scheduler, plan } = world;
  for (let atMs = plan.boundMs; atMs < plan.runMs; atMs += plan.boundMs)
    scheduler.after(atMs, () => rollBacksThenCrash(world));
}

/** Replaces a member of all objects of a class by one that may call the right one. */
function patch<T extends object, N extends keyof T>(
  target: T,
  name: N,
  make: (right: T[N]) => T[N],
): () => void {
  const right = target[name];
  target[name] = make(right);
  return () => {
    target[name] = right;
  };
}

function all(...restores: readonly (() => void)[]): () => void {
  return () => {
    for (const restore of restores) restore();
  };
}

function patchFollow(
  change: (
    poll: Awaited<ReturnType<SimulatedAuthority["follow"]>>,
  ) => Awaited<ReturnType<SimulatedAuthority["follow"]>>,
): () => void {
  return patch(SimulatedAuthority.prototype, "follow", (right) => {
    return async function follow(this: SimulatedAuthority, state) {
      return change(await right.call(this, state));
    };
  });
}

/** Any answer becomes a copy, whatever changed while it was on its way. */
function anyFill(): () => void {
  return patch(FillToken.prototype, "allows", () => () => true);
}

function replacesAnything(): () => void {
  return all(
    patch(HotTier.prototype, "offer", (right) => {
      return function offer(this: HotTier, record) {
        this.drop(record.namespace, record.key, Infinity);
        return right.call(this, record);
      };
    }),
    patch(ProcessTier.prototype, "offer", (right) => {
      return function offer(this: ProcessTier, record) {
        this.drop(record.namespace, record.key, Infinity);
        return right.call(this, record);
      };
    }),
  );
}

/** What is in the shared tier is believed. */
function believesSharedTier(): () => void {
  const { prototype } = RecentChanges;
  const completeFrom = Object.getOwnPropertyDescriptor(prototype, "completeFrom");
  Object.defineProperty(prototype, "completeFrom", { configurable: true, get: () => -Infinity });
  return all(
    patch(prototype, "newest", () => () => 0),
    () => {
      if (completeFrom !== undefined)
        Object.defineProperty(prototype, "completeFrom", completeFrom);
    },
  );
}

function noSession(): () => void {
  return all(patch(FollowedSession.prototype, "demand", () => () => ({ minVersion: () => 0 })));
}

/** A loader's value is stored wherever nothing is, whatever was there since. */
function withoutClaim(operation: WriteOperation): WriteOperation {
  if (operation.kind !== "put" || operation.claim === undefined) return operation;
  const { claim: _, ...rest } = operation;
  return { ...rest, condition: "absent" };
}

function withoutCondition(operation: WriteOperation): WriteOperation {
  const { condition: _, ...rest } = operation;
  return rest;
}

function patchOperations(change: (operation: WriteOperation) => WriteOperation): () => void {
  return patch(SimulatedAuthority.prototype, "write", (right) => {
    return function write(this: SimulatedAuthority, operations, options) {
      return right.call(this, operations.map(change), options);
    };
  });
}

const nothing = (): (() => void) => () => {};

/** Parts that can be wrong; the checker must find each within some seeds. */
export const BREAKS: { readonly [name: string]: Break } = {
  noFillToken: { apply: anyFill },
  noVersionCheck: { apply: () => all(anyFill(), replacesAnything()) },
  noFlushOnGap: { apply: () => patchFollow((poll) => ({ ...poll, gap: false })) },
  noLogFollow: { apply: () => patchFollow((poll) => ({ ...poll, changes: [] })) },
  deafToClears: {
    apply: () =>
      patchFollow((poll) => ({
        ...poll,
        changes: poll.changes.filter(({ op }) => op !== "clear"),
      })),
  },
  noDeadline: {
    apply: () =>
      patch(Validity.prototype, "prove", () => {
        return function prove(this: Validity) {
          this.proveForever();
        };
      }),
  },
  sharedTierBelieved: { apply: believesSharedTier },
  noReadsAhead: { apply: () => patch(ReadsAhead.prototype, "admits", () => () => true) },
  noSession: { apply: noSession },
  claimsIgnored: { apply: () => patchOperations(withoutClaim) },
  noConditions: { apply: () => patchOperations(withoutCondition) },
  acknowledgesAnyway: {
    apply: () =>
      patch(SimulatedAuthority.prototype, "write", (right) => {
        return async function write(this: SimulatedAuthority, operations, options) {
          try {
            return await right.call(this, operations, options);
          } catch {
            return operations.map(() => ({
              status: "written" as const,
              version: 0,
              existed: true,
              createdAtMs: 0,
              updatedAtMs: 0,
              expiresAtMs: undefined,
              deadlineMs: Infinity,
            }));
          }
        };
      }),
  },
  wallClockVersions: {
    apply: nothing,
    prepare: ({ database, scheduler }) => {
      // Whichever server writes, its clock is right or wrong by up to a second.
      database.nextVersion = () =>
        Math.floor((2000 + scheduler.nowMs + 1000 * scheduler.random()) * 1000);
    },
  },
  snapshotsTrusted: {
    apply: nothing,
    prepare: ({ database }) => {
      database.trustsSnapshots = true;
    },
    trial: manyCrashes,
  },
};

/**
 * Rules in the shared tier that only save work: without them nothing wrong may be shown, for all that
 * it holds is judged by the log. An ephemeral item stays, whose authority it is.
 */
export function leasesIgnored(): () => void {
  return patch(SharedRules.prototype, "fill", (right) => {
    return function fill(this: SharedRules, name, copy) {
      return right.call(this, name, copy) || this.overwrite(name, copy);
    };
  });
}
