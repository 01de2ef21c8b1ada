/** Copies in Redis, read through the manager, beside ioredis used by hand. */
import { DEFAULT_PLAN } from "../harness/contender.ts";
import type { RoundPlan } from "../harness/contender.ts";
import { race } from "../harness/race.ts";
import type { Entrant, Rounds } from "../harness/race.ts";
import { cpuRates, median, medianRatio, rates, samplesOf } from "../harness/statistics.ts";
import { atLeast, judge } from "../result.ts";
import type { Result } from "../result.ts";
import type { Case } from "../suite.ts";
import { serversFor } from "./needs.ts";

const CHERRY = new URL("./shared-cherry.ts", import.meta.url).href;
const PEER = new URL("./shared-peer.ts", import.meta.url).href;
/** Processor time is counted in steps of milliseconds: longer rounds. */
const PLAN: RoundPlan = { ...DEFAULT_PLAN, rounds: 15, roundMs: 300, warmUpMs: 3000 };
const IN_FLIGHT = 100;
const BATCH_SIZES = [500, 1000];

/**
 * Rates by the processor time of the thread that reads: so many items a second a server can give out
 * when it does nothing else. `items`: of one operation.
 */
function compare(
  rounds: Rounds,
  { name, own, other, goal }: { name: string; own: Entrant; other: Entrant; goal: number },
  items: number,
): Result {
  const [mine, theirs] = [own, other].map((entrant) => samplesOf(rounds, entrant.name));
  if (mine === undefined || theirs === undefined) throw new Error("expected two sides");
  const scaled = (values: readonly number[]): number[] => values.map((value) => value * items);
  const wall = medianRatio(rates(mine), rates(theirs)).toFixed(2);
  return judge({
    name,
    value: median(scaled(cpuRates(mine))),
    unit: "items/s of processor time",
    peer: other.name,
    peerValue: median(scaled(cpuRates(theirs))),
    ratio: medianRatio(cpuRates(mine), cpuRates(theirs)),
    goal: atLeast(goal),
    note: `beside ${other.name}, by the clock on the wall: ratio ${wall}`,
  });
}

export const sharedGetCase: Case = {
  name: "l2-get",
  about: "hits in Redis through the manager, 100 in flight, beside ioredis by hand",
  run: async (context) => {
    const options = {
      ...(await serversFor(context, "l2_get", { redis: true })),
      inFlight: IN_FLIGHT,
    };
    const own = { name: "ours", module: CHERRY, contender: "get", options };
    const parsed = { name: "ioredis GET + JSON.parse", module: PEER, contender: "get", options };
    const bytes = { name: "ioredis GET, bytes", module: PEER, contender: "get bytes", options };
    const rounds = await race([own, parsed, bytes], PLAN);
    const name = `L2 get, ${IN_FLIGHT} in flight`;
    return [
      compare(rounds, { name, own, other: parsed, goal: 0.9 }, IN_FLIGHT),
      compare(rounds, { name, own, other: bytes, goal: 0.7 }, IN_FLIGHT),
    ];
  },
};

export const sharedBatchCase: Case = {
  name: "l2-batch",
  about: "getMany of 500 and 1,000 items in Redis beside MGET by hand",
  run: async (context) => {
    const results: Result[] = [];
    for (const batch of BATCH_SIZES) {
      const servers = await serversFor(context, `l2_batch_${batch}`, { redis: true });
      const options = { ...servers, batch };
      const own = { name: "ours", module: CHERRY, contender: "get many", options };
      const name = "ioredis MGET + JSON.parse";
      const other = { name, module: PEER, contender: "get many", options };
      const rounds = await race([own, other], PLAN);
      results.push(
        compare(rounds, { name: `L2 getMany of ${batch}`, own, other, goal: 0.8 }, batch),
      );
    }
    return results;
  },
};
