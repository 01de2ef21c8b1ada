import type { Random } from "@cherry-ai/memory";
import type { ProxyDirection } from "@cherry-ai/services";
import { delayPostgresBy } from "../faults/database-faults.ts";
import type { Fault } from "../faults/fault.ts";
import { FAULTS } from "../faults/faults.ts";
import type { ViolationKind } from "../checker/violation.ts";
import type { TortureOptions } from "../torture-options.ts";
import { MIX } from "../workload/worker.ts";
import { useWallClockVersions, withSkew } from "./wall-clock-versions.ts";

/** A short run in which some broken parts show, each in one of the ways given. */
export interface Scenario {
  readonly name: string;
  readonly options: Partial<TortureOptions>;
  readonly broken: { readonly [part: string]: readonly ViolationKind[] };
}

const BASE: TortureOptions = {
  subject: "cherry",
  servers: 3,
  seconds: 4,
  seed: 7,
  withRedis: false,
  boundMs: 400,
  faults: [],
  workers: 12,
  mix: MIX,
  restMsMax: 5,
  calmMs: [50, 150],
  progress: () => {},
};

function faults(...names: readonly string[]): readonly Fault[] {
  return names.map((name) => {
    const found = FAULTS.find((fault) => fault.name === name);
    if (found === undefined) throw new Error(`there is no fault ${name}`);
    return found;
  });
}

/** One answer in four: reads are overtaken by writes, by other reads and by the log. */
function someLate(direction: ProxyDirection, random: Random): number {
  return direction === "down" && random() < 0.25 ? 350 : 0;
}

/** By more than the bound: what an answer proves is over when it comes. One server writes on, fast. */
function othersLate(direction: ProxyDirection, _: Random, serverIndex: number): number {
  return direction === "down" && serverIndex > 0 ? 600 : 0;
}

export const SCENARIOS: readonly Scenario[] = [
  {
    name: "answers that overtake one another",
    options: {
      boundMs: 1000,
      workers: 40,
      faults: [delayPostgresBy(someLate, 4000)],
    },
    broken: {
      noFillToken: ["stale", "overBound", "resurrected", "nonMonotonic"],
      noVersionCheck: ["nonMonotonic"],
    },
  },
  {
    name: "answers that come late",
    options: {
      boundMs: 250,
      workers: 80,
      mix: { ...MIX, get: 120 },
      faults: [delayPostgresBy(othersLate, 5000)],
    },
    broken: { countFromAnswer: ["overBound", "resurrected"] },
  },
  {
    name: "servers that sleep while the log is trimmed",
    options: { seconds: 5, faults: faults("logTrim", "pauseServer") },
    broken: {
      noDeadline: ["overBound", "resurrected"],
      noFlushOnGap: ["stale", "overBound", "resurrected", "disagree"],
    },
  },
  {
    name: "a server that is cut off from the database",
    options: { faults: faults("halfOpenPostgres") },
    broken: {
      noOutboxRetry: ["stale", "overBound", "resurrected", "disagree"],
      acknowledgeAnyway: ["lost"],
    },
  },
  {
    name: "nothing but many writers",
    options: { mix: { ...MIX, session: 30 } },
    broken: {
      noConditions: ["lostUpdate"],
      deafToClears: ["resurrected"],
      noSessionFloor: ["session"],
    },
  },
  {
    name: "loaders that writes overtake",
    options: { mix: { ...MIX, get: 20, set: 30, delete: 60, getOrSet: 60 } },
    broken: { noClaim: ["lost", "resurrected"] },
  },
  {
    name: "wall clocks that differ",
    options: { faults: faults("skewedClocks") },
    broken: { wallClockVersions: ["nonMonotonic", "stale", "overBound", "lost"] },
  },
  {
    name: "a bus that stands still and breaks off",
    options: { faults: faults("stallRedis", "killBus"), withRedis: true },
    broken: { busInsteadOfLog: ["stale", "overBound", "resurrected"] },
  },
];

/** What a run of the scenario is made with; `broken` undefined: as the product is. */
export function optionsOf(
  scenario: Scenario,
  given: Partial<TortureOptions>,
  broken?: string,
): TortureOptions {
  const options = { ...BASE, ...scenario.options, ...given };
  if (broken === undefined) return options;
  if (broken !== "wallClockVersions") return { ...options, broken };
  return {
    ...options,
    broken,
    prepareDatabase: useWallClockVersions,
    databaseUrlOf: withSkew,
  };
}
