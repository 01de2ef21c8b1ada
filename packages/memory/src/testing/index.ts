export { ManualClock } from "./manual-clock.ts";
export type { ManualClockOptions } from "./manual-clock.ts";
export { pick, seededRandom, shuffle, wholeBelow, withSeed } from "./seeded-random.ts";
export { expectCode } from "./expect-code.ts";
export { registerSuite, runSuite } from "./suite.ts";
export type { Suite, SuiteCase, TestFramework } from "./suite.ts";
export { ReferenceModel, compareBytes } from "./reference-model.ts";
export type {
  ModelCondition,
  ModelItem,
  ModelOperation,
  ModelResult,
  ModelSelection,
  ModelSetOptions,
} from "./reference-model.ts";
export { referenceFilter } from "./reference-filter.ts";
export { referenceGlob } from "./reference-glob.ts";
export { FaultPlan } from "./fault-plan.ts";
export type { Call, Fault } from "./fault-plan.ts";
export { faultyAuthority, faultyLocalTier } from "./faulty-tier.ts";
export { faultyDatabase } from "./faulty-database.ts";
export { slowAuthority } from "./slow-tier.ts";
export type { Delay, SlowOptions } from "./slow-tier.ts";
export { byteTierSuite, localTierSuite, objectTierSuite } from "./local-tier-suite/index.ts";
export type { LocalRecord, LocalTierBounds, LocalTierMaker } from "./local-tier-suite/fixture.ts";
export { authoritySuite } from "./authority-suite/index.ts";
export type { AuthorityMaker } from "./authority-suite/fixture.ts";
export { memorySuite } from "./memory-suite/index.ts";
export type { MemoryMaker } from "./memory-suite/fixture.ts";
export { sharedTierSuite } from "./shared-suite/index.ts";
export type { SharedTierMaker } from "./shared-suite/fixture.ts";
export { vectorTierSuite } from "./vector-suite/index.ts";
export type { VectorTierMaker } from "./vector-suite/fixture.ts";
