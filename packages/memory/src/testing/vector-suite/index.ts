import type { Suite } from "../suite.ts";
import { entryCases } from "./entries.ts";
import type { VectorTierMaker } from "./fixture.ts";
import { indexCases } from "./indexes.ts";
import { recallCases } from "./recall.ts";
import { searchCases } from "./searches.ts";

/** What every index by meaning must do. Cases use index versions and namespaces of their own. */
export function vectorTierSuite(name: string, maker: VectorTierMaker): Suite {
  return {
    name: `vector tier: ${name}`,
    cases: [
      ...indexCases(maker),
      ...entryCases(maker),
      ...searchCases(maker),
      ...recallCases(maker),
    ],
  };
}
