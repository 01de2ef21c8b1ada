import type { Suite } from "../suite.ts";
import { costCase } from "./cost.ts";
import { dropCase } from "./drop.ts";
import { loaderCase } from "./loaders.ts";
import { sharedBatchCase, sharedGetCase } from "./shared.ts";

export const coherenceSuite: Suite = {
  name: "coherence",
  about: "copies in Redis, loaders and invalidations over many processes, the cost of the protocol",
  cases: [sharedGetCase, sharedBatchCase, loaderCase, dropCase, costCase],
};
