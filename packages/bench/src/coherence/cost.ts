/** What the protocol costs, against the same code with it switched off. */
import { DEFAULT_PLAN } from "../harness/contender.ts";
import type { RoundPlan } from "../harness/contender.ts";
import { race } from "../harness/race.ts";
import { cpuUs, median, medianRatio, rates, samplesOf } from "../harness/statistics.ts";
import { atLeast, atMost, judge, valueAtMost } from "../result.ts";
import type { Result } from "../result.ts";
import type { Case, Context } from "../suite.ts";
import { serversFor } from "./needs.ts";

const MODULE = new URL("./cost-cherry.ts", import.meta.url).href;
const ON = "ours";
const OFF = "ours, protocol switched off";
/** Processor time is counted in steps of milliseconds: longer rounds. */
const READ_PLAN: RoundPlan = { ...DEFAULT_PLAN, rounds: 21, roundMs: 200, warmUpMs: 1000 };
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

async function measure(
  context: Context,
  contender: string,
  plan: RoundPlan,
): ReturnType<typeof race> {
  // Each has a database of its own: it would hear of what the other writes.
  const [on, off] = [
    await serversFor(context, `cost_${contender}_on`, { redis: true }),
    await serversFor(context, `cost_${contender}_off`, { redis: true }),
  ];
  return race(
    [
      { name: ON, module: MODULE, contender, options: { ...on, writers: WRITERS } },
      { name: OFF, module: MODULE, contender, options: { ...off, writers: WRITERS, off: true } },
    ],
    plan,
  );
}

async function peekCost(context: Context): Promise<Result> {
  const rounds = await measure(context, "peek", READ_PLAN);
  const [on, off] = [ON, OFF].map((name) =>
    cpuUs(samplesOf(rounds, name)).map((us) => us * NS_PER_US),
  );
  if (on === undefined || off === undefined) throw new Error("expected two sides");
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
  const rounds = await measure(context, "get", READ_PLAN);
  const [on, off] = [ON, OFF].map((name) =>
    cpuUs(samplesOf(rounds, name)).map((us) => us * NS_PER_US),
  );
  if (on === undefined || off === undefined) throw new Error("expected two sides");
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
  const rounds = await measure(context, "set", WRITE_PLAN);
  const [on, off] = [ON, OFF].map((name) =>
    rates(samplesOf(rounds, name)).map((rate) => rate * WRITERS),
  );
  if (on === undefined || off === undefined) throw new Error("expected two sides");
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
