import type { Suite } from "../suite.ts";
import { batchCases } from "./batches.ts";
import { updateCases } from "./updates.ts";
import type { MemoryMaker } from "./fixture.ts";
import { itemCases } from "./items.ts";
import { lifecycleCases } from "./lifecycle.ts";
import { limitCases } from "./limits.ts";
import { searchableCases } from "./searchables.ts";
import { selectionCases } from "./selections.ts";
import { valueCases } from "./values.ts";
import { wordCases } from "./words.ts";

/** What a whole memory must do, over whatever tiers. Cases keep to namespaces of their own. */
export function memorySuite(name: string, maker: MemoryMaker): Suite {
  return {
    name: `memory: ${name}`,
    cases: [
      ...itemCases(maker),
      ...updateCases(maker),
      ...batchCases(maker),
      ...searchableCases(maker),
      ...selectionCases(maker),
      ...lifecycleCases(maker),
      ...valueCases(maker),
      ...limitCases(maker),
      ...wordCases(maker),
    ],
  };
}
