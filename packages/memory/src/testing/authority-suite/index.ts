import type { Suite } from "../suite.ts";
import { changeCases } from "./changes.ts";
import { conditionCases } from "./conditions.ts";
import type { AuthorityMaker } from "./fixture.ts";
import { jobCases } from "./jobs.ts";
import { leaseCases } from "./leases.ts";
import { loadedValueCases } from "./loaded-values.ts";
import { removalCases } from "./removals.ts";
import { searchCases } from "./searches.ts";
import { traceCases } from "./traces.ts";
import { writeCases } from "./writes.ts";

/** What every durable authority must do. Cases keep to namespaces of their own, so they may share one. */
export function authoritySuite(name: string, open: AuthorityMaker["open"]): Suite {
  const maker = { open };
  return {
    name: `authority: ${name}`,
    cases: [
      ...writeCases(maker),
      ...conditionCases(maker),
      ...searchCases(maker),
      ...changeCases(maker),
      ...removalCases(maker),
      ...leaseCases(maker),
      ...loadedValueCases(maker),
      ...traceCases(maker),
      ...jobCases(maker),
    ],
  };
}
