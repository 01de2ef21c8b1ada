import type { Suite } from "../suite.ts";
import { copyCases } from "./copies.ts";
import { ephemeralCases } from "./ephemerals.ts";
import type { SharedTierMaker } from "./fixture.ts";
import { leaseCases } from "./leases.ts";

/** What every tier that all servers share must do. Cases use epochs of their own, so they may share one. */
export function sharedTierSuite(name: string, maker: SharedTierMaker): Suite {
  return {
    name: `shared tier: ${name}`,
    cases: [...leaseCases(maker), ...copyCases(maker), ...ephemeralCases(maker)],
  };
}
