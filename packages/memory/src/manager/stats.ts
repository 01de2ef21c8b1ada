import { MEMORY_TIERS } from "../model/item.ts";
import type { Tier } from "../tiers/tier.ts";
import type { TierLeftOut } from "../tiers/factory.ts";
import type { Core } from "./core.ts";
import type { MemoryStats, TierReport } from "./memory.ts";

const MS_PER_SECOND = 1000;

function reportTier(tier: Tier): TierReport {
  const { status, reason, warning } = tier.health();
  return {
    tier: tier.name,
    status,
    ...(reason === undefined ? {} : { reason }),
    ...(warning === undefined ? {} : { warning }),
    capabilities: tier.capabilities,
    usage: tier.usage(),
  };
}

/** One entry a tier, fastest first: what is on, what is off, and why. */
export function reportTiers(
  core: Core | undefined,
  leftOut: readonly TierLeftOut[],
): readonly TierReport[] {
  const on =
    core === undefined
      ? []
      : [core.copies.objects, core.copies.bytes, core.shared?.tier, core.authority, core.vectors];
  const reports = [
    ...on.flatMap((tier) => (tier === undefined ? [] : [reportTier(tier)])),
    ...leftOut.map(({ tier, reason }): TierReport => ({ tier, status: "off", reason })),
  ];
  return reports.toSorted((a, b) => MEMORY_TIERS.indexOf(a.tier) - MEMORY_TIERS.indexOf(b.tier));
}

export async function readStats(
  core: Core,
  tiers: readonly TierReport[],
  startedAtMs: number,
): Promise<MemoryStats> {
  const degraded = tiers.some(({ status }) => status === "degraded");
  return {
    uptimeSeconds: (core.clock.monotonicMs() - startedAtMs) / MS_PER_SECOND,
    status: degraded ? "degraded" : "ready",
    tiers,
    maxStalenessMs: core.config.maxStalenessMs,
    moves: { promoted: core.moves.promoted, demoted: core.moves.demoted },
  };
}
