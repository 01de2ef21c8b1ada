import { coherenceSuite } from "./coherence/suite.ts";
import { coreSuite } from "./core/suite.ts";
import type { Suite } from "./suite.ts";

/** Every suite of `pnpm bench`: a folder with a `suite.ts` and one line here. */
export const SUITES: readonly Suite[] = [coreSuite, coherenceSuite];
