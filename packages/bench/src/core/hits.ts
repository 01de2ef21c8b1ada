/** Hits in process memory, through the manager, beside the caches that people use instead. */
import { DEFAULT_PLAN } from "../harness/contender.ts";
import type { ContenderOptions, RoundPlan } from "../harness/contender.ts";
import { race } from "../harness/race.ts";
import type { Entrant, Rounds } from "../harness/race.ts";
import { cpuRates, cpuUs, median, medianRatio, samplesOf } from "../harness/statistics.ts";
import { atLeast, judge, valueAtMost } from "../result.ts";
import type { Goal, Result } from "../result.ts";
import type { Case, Context } from "../suite.ts";

const CHERRY = new URL("./cherry.ts", import.meta.url).href;
const PEERS = new URL("./peers.ts", import.meta.url).href;
const NS_PER_SECOND = 1_000_000_000;
const DECODE_US_MAX = 3;
/** Processor time is counted in steps of milliseconds: longer rounds. */
const DECODE_PLAN: RoundPlan = { ...DEFAULT_PLAN, rounds: 11, roundMs: 300 };

/** Ours where other servers may write too: each read compares a deadline with the clock. */
const BOUNDED = "ours, deadline checked";
/** Ours on embedded storage, which no other process can write: copies need no deadline. */
const EXCLUSIVE = "ours, sole writer";

function peer(name: string, options: ContenderOptions = {}, contender = name): Entrant {
  return { name, module: PEERS, contender, options };
}

/** What the deadline check cannot do without: not a cache, but one read of the monotonic clock. */
const CLOCK = peer("monotonic clock");
const LRU = peer("lru-cache");
const MAP = peer("async Map");
const CACHE_MANAGER = peer("cache-manager");
const BENTO_FAST = peer("bentocache, serialize: false", { serialize: false }, "bentocache");
const BENTO_ENCODED = peer("bentocache, serialize: true", { serialize: true }, "bentocache");
const CACHEABLE = peer("cacheable");
const KEYV = peer("keyv");

/** Ours in each way that this machine can show; the goals are the same for all. */
async function ours(context: Context, contender: string): Promise<readonly Entrant[]> {
  const exclusive = { name: EXCLUSIVE, module: CHERRY, contender, options: {} };
  if (context.databaseMissing !== undefined) return [exclusive];
  const databaseUrl = await context.database(`hits_${contender.replaceAll(" ", "_")}`);
  return [{ name: BOUNDED, module: CHERRY, contender, options: { databaseUrl } }, exclusive];
}

/** Ours against one peer, as a rate. */
function compareRates(
  rounds: Rounds,
  names: { readonly what: string; readonly own: string; readonly other: string },
  goal: Goal,
): Result {
  const mine = cpuRates(samplesOf(rounds, names.own));
  const theirs = cpuRates(samplesOf(rounds, names.other));
  return judge({
    name: `${names.what} (${names.own})`,
    value: median(mine),
    unit: "/s",
    peer: names.other,
    peerValue: median(theirs),
    ratio: medianRatio(mine, theirs),
    goal,
  });
}

/** Each of ours against each peer, with the peer's goal. */
function compareAll(
  rounds: Rounds,
  names: { readonly what: string; readonly own: readonly Entrant[] },
  peers: readonly (readonly [Entrant, number])[],
): readonly Result[] {
  return names.own.flatMap(({ name: own }) =>
    peers.map(([{ name: other }, limit]) =>
      compareRates(rounds, { what: names.what, own, other }, atLeast(limit)),
    ),
  );
}

export const peekCase: Case = {
  name: "peek",
  about: "synchronous hit in L0",
  run: async (context) => {
    const own = await ours(context, "peek");
    const rounds = await race([...own, LRU, CACHE_MANAGER, CLOCK], DEFAULT_PLAN);
    const [first, ...others] = compareAll(rounds, { what: "peek", own }, [
      [LRU, 0.5],
      [CACHE_MANAGER, 5],
    ]);
    if (first === undefined) throw new Error("expected a comparison");
    const [clockNs, lruNs] = [CLOCK, LRU].map(({ name }) => nanoseconds(rounds, name));
    const note = `comparing the deadline reads the monotonic clock, which alone takes ${clockNs} ns here; a whole lru-cache get takes ${lruNs} ns`;
    return [{ ...first, note }, ...others];
  },
};

function nanoseconds(rounds: Rounds, name: string): string {
  return (NS_PER_SECOND / median(cpuRates(samplesOf(rounds, name)))).toFixed(0);
}

export const getCase: Case = {
  name: "get",
  about: "awaited hit in L0",
  run: async (context) => {
    const own = await ours(context, "get");
    const peers = [
      [MAP, 0.5],
      [CACHE_MANAGER, 1.5],
      [BENTO_FAST, 3],
      [CACHEABLE, 10],
      [KEYV, 10],
    ] as const;
    const rounds = await race([...own, ...peers.map(([entrant]) => entrant)], DEFAULT_PLAN);
    return compareAll(rounds, { what: "get", own }, peers);
  },
};

export const decodeCase: Case = {
  name: "decode",
  about: "awaited hit in L1 that must decode 1 KB",
  run: async (context) => {
    const own = await ours(context, "get encoded");
    const rounds = await race([...own, BENTO_ENCODED], DECODE_PLAN);
    const theirs = cpuUs(samplesOf(rounds, BENTO_ENCODED.name));
    return own.map(({ name }) => {
      const mine = cpuUs(samplesOf(rounds, name));
      return judge({
        name: `get that decodes (${name})`,
        value: median(mine),
        unit: "µs",
        peer: BENTO_ENCODED.name,
        peerValue: median(theirs),
        ratio: medianRatio(theirs, mine),
        goal: valueAtMost(DECODE_US_MAX),
        note: "processor time of one hit; the ratio is how many times as cheap as the peer",
      });
    });
  },
};
