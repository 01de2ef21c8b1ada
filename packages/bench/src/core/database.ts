/** L3 on a real PostgreSQL (fsync on), beside hand-written SQL on the same server. */
import type { ContenderOptions, RoundPlan } from "../harness/contender.ts";
import { DEFAULT_PLAN } from "../harness/contender.ts";
import { race } from "../harness/race.ts";
import type { Entrant, Rounds } from "../harness/race.ts";
import { median, medianRatio, rates, samplesOf } from "../harness/statistics.ts";
import { atLeast, judge } from "../result.ts";
import type { Result } from "../result.ts";
import type { Case, Context } from "../suite.ts";
import { BATCH_ITEMS } from "./database-work.ts";

const CHERRY = new URL("./database-cherry.ts", import.meta.url).href;
const PEER = new URL("./database-peer.ts", import.meta.url).href;

/** A batch takes tens of milliseconds and a commit waits for the disk: longer rounds, fewer operations. */
const WRITE_PLAN: RoundPlan = { ...DEFAULT_PLAN, rounds: 15, roundMs: 500, warmUpMs: 1500 };
// A read is 150 µs of waiting: at 1.5 s of them the compiler has not yet seen enough of either side.
const READ_PLAN: RoundPlan = { ...DEFAULT_PLAN, roundMs: 200, warmUpMs: 8000 };
const MANY_IN_FLIGHT = 16;

function ours(contender: string, options: ContenderOptions): Entrant {
  return { name: `ours, ${contender}`, module: CHERRY, contender, options };
}

async function databaseUrl(context: Context, name: string): Promise<string> {
  if (context.databaseMissing !== undefined)
    throw new Error(`needs a real PostgreSQL: ${context.databaseMissing}`);
  return context.database(name);
}

interface Comparison {
  readonly name: string;
  readonly own: Entrant;
  readonly other: Entrant;
  /** Items in one operation of each side. */
  readonly items: readonly [own: number, other: number];
  readonly goal: number;
}

function compare(rounds: Rounds, { name, own, other, items, goal }: Comparison): Result {
  const mine = rates(samplesOf(rounds, own.name)).map((rate) => rate * items[0]);
  const theirs = rates(samplesOf(rounds, other.name)).map((rate) => rate * items[1]);
  return judge({
    name,
    value: median(mine),
    unit: "items/s",
    peer: other.name,
    peerValue: median(theirs),
    ratio: medianRatio(mine, theirs),
    goal: atLeast(goal),
  });
}

export const databaseSetCase: Case = {
  name: "l3-batch-set",
  about: "batches of 1,000 durable sets beside a hand-written upsert with change log",
  run: async (context) => {
    const options = { databaseUrl: await databaseUrl(context, "batch_set") };
    const own = ours("batch set", options);
    const name = "hand-written unnest upsert with change log";
    const other = { name, module: PEER, contender: "batch set", options };
    const rounds = await race([own, other], WRITE_PLAN);
    const items = [BATCH_ITEMS, BATCH_ITEMS] as const;
    return [compare(rounds, { name: "L3 batch set of 1,000", own, other, items, goal: 0.8 })];
  },
};

export const databaseGetCase: Case = {
  name: "l3-get",
  about: "single reads of the authority beside a bare prepared select",
  run: async (context) => {
    const results: Result[] = [];
    for (const inFlight of [1, MANY_IN_FLIGHT]) {
      const url = await databaseUrl(context, `get_${inFlight}`);
      const options = { databaseUrl: url, inFlight };
      const own = ours("get", options);
      const other = { name: "bare prepared select", module: PEER, contender: "get", options };
      const rounds = await race([own, other], READ_PLAN);
      const name = `L3 get, ${inFlight} in flight`;
      results.push(compare(rounds, { name, own, other, items: [1, 1], goal: 0.8 }));
    }
    return results;
  },
};

export const databaseBatchCase: Case = {
  name: "l3-batch-gain",
  about: "one batch of 1,000 beside the same done one by one",
  run: async (context) => {
    const items = [BATCH_ITEMS, 1] as const;
    const url = await databaseUrl(context, "batch_gain");
    const options = { databaseUrl: url, inFlight: 1 };
    const pairs = [
      { what: "set", own: ours("batch set", options), other: ours("single set", options) },
      { what: "get", own: ours("batch get", options), other: ours("get", options) },
    ];
    const results: Result[] = [];
    for (const { what, own, other } of pairs) {
      const rounds = await race([own, other], WRITE_PLAN);
      const name = `L3 batch ${what} of 1,000 against singles`;
      results.push(compare(rounds, { name, own, other, items, goal: 10 }));
    }
    return results;
  },
};
