import { describe, test } from "vitest";
import { byteTierSuite, objectTierSuite, registerSuite } from "../src/testing/index.ts";
import { HotTier } from "../src/tiers/hot/hot-tier.ts";
import { ProcessTier } from "../src/tiers/process/process-tier.ts";

const framework = { describe, test };

registerSuite(
  objectTierSuite("HotTier", (options) => new HotTier(options)),
  framework,
);

for (const eviction of ["lru", "lfu"] as const)
  registerSuite(
    byteTierSuite(
      `ProcessTier, ${eviction}`,
      (options) => new ProcessTier({ ...options, eviction }),
    ),
    framework,
  );
