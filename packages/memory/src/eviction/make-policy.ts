import { LfuPolicy } from "./lfu.ts";
import { LruPolicy } from "./lru.ts";
import type { EvictionPolicyMaker } from "./policy.ts";

export type EvictionName = "lru" | "lfu";

/** The policies that configuration can name. A new one is one line here. */
export const EVICTION_POLICIES: { readonly [name in EvictionName]: EvictionPolicyMaker } = {
  lru: (slotsMax) => new LruPolicy(slotsMax),
  lfu: (slotsMax) => new LfuPolicy(slotsMax),
};
