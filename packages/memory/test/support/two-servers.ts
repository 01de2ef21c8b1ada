import { UnifiedMemoryManager } from "../../src/manager/unified-memory-manager.ts";
import { ManualClock } from "../../src/testing/manual-clock.ts";
import { HotTier } from "../../src/tiers/hot/hot-tier.ts";
import { ProcessTier } from "../../src/tiers/process/process-tier.ts";
import { SimulatedAuthority } from "./simulated-log.ts";
import type { SimulatedLog } from "./simulated-log.ts";

export const BOUND_MS = 1000;
const TIER_BYTES = 4 * 1024 * 1024;

/** One server of several over one simulated database, with a clock and a follower of its own. */
export interface SimulatedServer {
  readonly memory: UnifiedMemoryManager;
  readonly authority: SimulatedAuthority;
  readonly clock: ManualClock;
}

export async function openServer(log: SimulatedLog): Promise<SimulatedServer> {
  const clock = new ManualClock();
  const authority = new SimulatedAuthority(log, clock);
  const bounds = { maxBytes: TIER_BYTES, maxItems: 10_000, clock };
  const memory = new UnifiedMemoryManager(
    {
      maxStalenessMs: BOUND_MS,
      optimization: { enabled: false },
      metrics: { enabled: false, prometheusEnabled: false },
    },
    {
      clock,
      tiers: async () => ({
        objects: new HotTier(bounds),
        bytes: new ProcessTier({ ...bounds, eviction: "lru" }),
        authority,
      }),
    },
  );
  await memory.initialize();
  return { memory, authority, clock };
}

/** Time passes on this server alone; its polls come when they are due. */
export async function pass(server: SimulatedServer, ms: number): Promise<void> {
  await server.clock.advance(ms);
}
