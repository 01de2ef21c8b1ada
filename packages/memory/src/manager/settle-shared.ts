import type { EpochPlace, Reservation, SharedCopies } from "../coherence/shared-copies.ts";
import type { ItemRecord, ItemRef, TierOutcome } from "../model/item.ts";
import type { SettledChange } from "../tiers/shared.ts";

/** Where the copy of a write goes. */
export interface Placement {
  readonly objects: boolean;
  readonly bytes: boolean;
  /** Into the tier that all servers see, and wait until it is there. Otherwise only if it takes it. */
  readonly shared: boolean;
}

/** What became of the copies of one write. */
export interface TierOutcomes {
  readonly objects: TierOutcome;
  readonly bytes: TierOutcome;
  readonly shared: TierOutcome;
}

/** The same for the copies in this process, with what the shared tier is still to be told. */
export interface Settled {
  readonly ref: ItemRef;
  readonly objects: TierOutcome;
  readonly bytes: TierOutcome;
  /** What was written, when this answer proves it. */
  readonly record: ItemRecord | undefined;
  readonly change: SettledChange | undefined;
}

export function unsettled(ref: ItemRef): Settled {
  return { ref, objects: "skipped", bytes: "skipped", record: undefined, change: undefined };
}

/** Takes the right to put copies where the hint asks for one, before it can be too old. */
export async function reserveShared(
  shared: SharedCopies | undefined,
  refs: readonly ItemRef[],
  placements: readonly Placement[],
): Promise<Reservation | undefined> {
  if (shared === undefined || !placements.some((placement) => placement.shared)) return undefined;
  const reservation = await shared.reserve(refs);
  if (reservation === undefined) return undefined;
  const leases = reservation.leases.map((lease, index) =>
    placements[index]?.shared === true ? lease : undefined,
  );
  return { ...reservation, leases };
}

/** Puts copies under the leases that were taken before the write, and waits for them. */
export async function fillShared(
  shared: SharedCopies,
  settled: readonly Settled[],
  reserved: Reservation,
): Promise<readonly (Pick<TierOutcomes, "shared"> | undefined)[]> {
  const filled = await shared.fill(
    settled.map(({ ref }) => ref),
    reserved,
    settled.map(({ record }) => record),
  );
  return reserved.leases.map((lease, index) =>
    lease === undefined ? undefined : { shared: filled[index] === true ? "stored" : "failed" },
  );
}

/** Tells the shared tier and the other servers what has committed. */
export async function settleShared(
  shared: SharedCopies | undefined,
  settled: readonly Settled[],
  { place, waits }: { readonly place: EpochPlace | undefined; readonly waits: boolean },
): Promise<readonly TierOutcomes[]> {
  const changes = settled.flatMap(({ change }) => change ?? []);
  if (shared === undefined || changes.length === 0)
    return settled.map(({ objects, bytes }) => ({ objects, bytes, shared: "skipped" }));
  const told = shared.settle(changes, place);
  // "pending" must come true: while the tier is in trouble its answer is waited for, and it is quick.
  const outcomes = waits || shared.isTroubled() ? await told : undefined;
  let next = 0;
  return settled.map(({ objects, bytes, change }) => {
    const outcome = change === undefined ? "skipped" : (outcomes?.[next++] ?? "pending");
    return { objects, bytes, shared: outcome };
  });
}
