import { UnifiedMemoryManager } from "../../src/manager/unified-memory-manager.ts";
import type { ManagerSeams } from "../../src/manager/unified-memory-manager.ts";
import type { PartialConfig } from "../../src/config/resolve.ts";
import { systemClock } from "../../src/model/clock.ts";
import type { AuthorityTier } from "../../src/tiers/authority.ts";
import type { Tiers } from "../../src/tiers/factory.ts";
import { HotTier } from "../../src/tiers/hot/hot-tier.ts";
import { ProcessTier } from "../../src/tiers/process/process-tier.ts";
import { shared } from "./databases.ts";

/** No work but what a test asks for. */
export const QUIET: PartialConfig = {
  // A forget waits for so long where there may be other servers.
  maxStalenessMs: 100,
  optimization: { enabled: false },
  metrics: { enabled: false, prometheusEnabled: false },
};

type Local = Pick<Tiers, "objects" | "bytes">;

/** How many copies a manager keeps: none, the usual, or so few that they come and go all the time. */
export type Copying = "none" | "usual" | "tiny";

export const COPYINGS: readonly Copying[] = ["none", "usual", "tiny"];

function localTiers(maxItems: { readonly objects: number; readonly bytes: number }): Local {
  const bounds = { maxBytes: 4 * 1024 * 1024, clock: systemClock };
  return {
    objects: new HotTier({ ...bounds, maxItems: maxItems.objects }),
    bytes: new ProcessTier({ ...bounds, maxItems: maxItems.bytes, eviction: "lru" }),
  };
}

const LOCAL: { readonly [copying in Copying]: () => Local } = {
  none: () => ({ objects: undefined, bytes: undefined }),
  usual: () => localTiers({ objects: 1_000, bytes: 10_000 }),
  tiny: () => localTiers({ objects: 2, bytes: 3 }),
};

/** A ready manager over an authority that it does not own. */
export async function openManager(
  authority: AuthorityTier,
  copying: Copying,
  config: PartialConfig = QUIET,
  seams: Pick<ManagerSeams, "clock"> = {},
): Promise<UnifiedMemoryManager> {
  const memory = new UnifiedMemoryManager(config, {
    ...seams,
    tiers: async () => ({ authority: shared(authority), ...LOCAL[copying]() }),
  });
  await memory.initialize();
  return memory;
}
