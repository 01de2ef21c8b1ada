/** What the protocol costs, against the same code with it switched off. */
import { DEFAULT_PLAN } from "../harness/contender.ts";
import type { RoundPlan, Sample } from "../harness/contender.ts";
import { race } from "../harness/race.ts";
import type { Entrant, Rounds } from "../harness/race.ts";
import { cpuUs, meanOfEach, median, medianRatio, rates, samplesOf } from "../harness/statistics.ts";
import { atLeast, atMost, judge, valueAtMost } from "../result.ts";
import type { Result } from "../result.ts";
import type { Case, Context } from "../suite.ts";
import { serversFor } from "./needs.ts";

const MODULE = new URL("./cost-cherry.ts", import.meta.url).href;
const ON = "ours";
const OFF = "ours, protocol switched off";
/** Processor time is counted in steps of milliseconds: longer rounds. */
const READ_PLAN: RoundPlan = { ...DEFAULT_PLAN, rounds: 15, roundMs: 200, warmUpMs: 1000 };
/** How its code is compiled and its heap laid out falls out anew in each process: 5 % of a hit. */
const READERS = 3;
/** A commit waits for the disk: longer rounds. */
const WRITE_PLAN: RoundPlan = {
  ...DEFAULT_PLAN,
  rounds: 21,
  roundMs: 400,
  warmUpMs: 4000,
  chunkMs: 100,
};
const WRITERS = 16;
const NS_PER_US = 1000;
const PEEK_NS_MAX = 70;
const HIT_RATIO_MAX = 1.2;
const WRITE_RATIO_MIN = 0.75;

interface Comparison {
  readonly contender: string;
  readonly plan: RoundPlan;
  /** Of each side; a round's figure is their mean. */
  readonly processes: number;
}

interface Sides {
  readonly on: readonly number[];
  readonly off: readonly number[];
}

function nameOf(side: string, index: number): string {
  return `${side} (${index + 1})`;
}

/** What `figures` makes of the samples, round by round, with the protocol and without. */
async function compare(
  context: Context,
  { contender, plan, processes }: Comparison,
  figures: (samples: readonly Sample[]) => readonly number[],
): Promise<Sides> {
  const entrants: Entrant[] = [];
  for (let index = 0; index < processes; index += 1)
    for (const [side, off] of [
      [ON, false],
      [OFF, true],
    ] as const) {
      // Each has a database of its own: it would hear of what the others write.
      const database = `cost_${contender}_${off ? "off" : "on"}_${index + 1}`;
      const servers = await serversFor(context, database, { redis: true });
      const options = { ...servers, writers: WRITERS, off };
      entrants.push({ name: nameOf(side, index), module: MODULE, contender, options });
    }
  const rounds = await race(entrants, plan);
  const ofSide = (side: string): readonly number[] =>
    meanOfEach(sideSamples(rounds, side, processes).map(figures));
  return { on: ofSide(ON), off: ofSide(OFF) };
}

function sideSamples(rounds: Rounds, side: string, processes: number): (readonly Sample[])[] {
  return Array.from({ length: processes }, (_, index) => samplesOf(rounds, nameOf(side, index)));
}

function readNs(samples: readonly Sample[]): readonly number[] {
  return cpuUs(samples).map((us) => us * NS_PER_US);
}

async function peekCost(context: Context): Promise<Result> {
  const reads = { contender: "peek", plan: READ_PLAN, processes: READERS };
  const { on, off } = await compare(context, reads, readNs);
  const more = on.map((ns, round) => ns - (off[round] ?? Number.NaN));
  return judge({
    name: "peek: what the protocol adds",
    value: median(more),
    unit: "ns",
    peer: "a peek with it switched off",
    peerValue: median(off),
    ratio: medianRatio(on, off),
    goal: valueAtMost(PEEK_NS_MAX),
  });
}

async function hitCost(context: Context): Promise<Result> {
  const reads = { contender: "get", plan: READ_PLAN, processes: READERS };
  const { on, off } = await compare(context, reads, readNs);
  return judge({
    name: "awaited hit",
    value: median(on),
    unit: "ns",
    peer: OFF,
    peerValue: median(off),
    ratio: medianRatio(on, off),
    goal: atMost(HIT_RATIO_MAX),
  });
}

async function writeCost(context: Context): Promise<Result> {
  const writes = { contender: "set", plan: WRITE_PLAN, processes: 1 };
  const { on, off } = await compare(context, writes, (samples) =>
    rates(samples).map((rate) => rate * WRITERS),
  );
  return judge({
    name: `set, ${WRITERS} writers`,
    value: median(on),
    unit: "items/s",
    peer: OFF,
    peerValue: median(off),
    ratio: medianRatio(on, off),
    goal: atLeast(WRITE_RATIO_MIN),
  });
}

export const costCase: Case = {
  name: "cost",
  about: "a peek, an awaited hit and a write beside the same code with the protocol switched off",
  run: async (context) => [
    await peekCost(context),
    await hitCost(context),
    await writeCost(context),
  ],
};
