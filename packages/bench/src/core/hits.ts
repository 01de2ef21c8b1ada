/** Hits in process memory, through the manager, beside the caches that people use instead. */
import { DEFAULT_PLAN } from "../harness/contender.ts";
import type { ContenderOptions } from "../harness/contender.ts";
import { race } from "../harness/race.ts";
import type { Entrant, Rounds } from "../harness/race.ts";
import { median, medianRatio, rates, samplesOf } from "../harness/statistics.ts";
import { atLeast, judge, valueAtMost } from "../result.ts";
import type { Goal, Result } from "../result.ts";
import type { Case, Context } from "../suite.ts";

const CHERRY = new URL("./cherry.ts", import.meta.url).href;
const PEERS = new URL("./peers.ts", import.meta.url).href;
const US_PER_SECOND = 1_000_000;
const DECODE_US_MAX = 3;

/** Ours where other servers may write too: each read compares a deadline with the clock. */
const BOUNDED = "ours, deadline checked";
/** Ours on embedded storage, which no other process can write: copies need no deadline. */
const EXCLUSIVE = "ours, sole writer";

function peer(name: string, options: ContenderOptions = {}, contender = name): Entrant {
  return { name, module: PEERS, contender, options };
}

const LRU = peer("lru-cache");
const MAP = peer("async Map");
const CACHE_MANAGER = peer("cache-manager");
const BENTO_FAST = peer("bentocache, serialize: false", { serialize: false }, "bentocache");
const BENTO_ENCODED = peer("bentocache, serialize: true", { serialize: true }, "bentocache");
const CACHEABLE = peer("cacheable");
const KEYV = peer("keyv");

/** Ours in each way that this machine can show; the first is the one that is judged. */
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
  goal?: Goal,
): Result {
  const mine = rates(samplesOf(rounds, names.own));
  const theirs = rates(samplesOf(rounds, names.other));
  return judge({
    name: `${names.what} (${names.own})`,
    value: median(mine),
    unit: "/s",
    peer: names.other,
    peerValue: median(theirs),
    ratio: medianRatio(mine, theirs),
    ...(goal === undefined ? {} : { goal }),
  });
}

/** Each peer with its goal; the goal is judged for the first of ours and shown for the others. */
async function compareAll(
  context: Context,
  contender: string,
  what: string,
  peers: readonly (readonly [Entrant, number])[],
): Promise<readonly Result[]> {
  const own = await ours(context, contender);
  const rounds = await race([...own, ...peers.map(([entrant]) => entrant)], DEFAULT_PLAN);
  return own.flatMap(({ name }, index) =>
    peers.map(([{ name: other }, limit]) =>
      compareRates(rounds, { what, own: name, other }, index === 0 ? atLeast(limit) : undefined),
    ),
  );
}

export const peekCase: Case = {
  name: "peek",
  about: "synchronous hit in L0",
  run: (context) =>
    compareAll(context, "peek", "peek", [
      [LRU, 0.5],
      [CACHE_MANAGER, 5],
    ]),
};

export const getCase: Case = {
  name: "get",
  about: "awaited hit in L0",
  run: (context) =>
    compareAll(context, "get", "get", [
      [MAP, 0.5],
      [CACHE_MANAGER, 1.5],
      [BENTO_FAST, 3],
      [CACHEABLE, 10],
      [KEYV, 10],
    ]),
};

export const decodeCase: Case = {
  name: "decode",
  about: "awaited hit in L1 that must decode 1 KB",
  run: async (context) => {
    const own = await ours(context, "get encoded");
    const rounds = await race([...own, BENTO_ENCODED], DEFAULT_PLAN);
    const theirs = rates(samplesOf(rounds, BENTO_ENCODED.name));
    return own.map(({ name }, index) => {
      const mine = rates(samplesOf(rounds, name));
      return judge({
        name: `get that decodes (${name})`,
        value: US_PER_SECOND / median(mine),
        unit: "µs",
        peer: BENTO_ENCODED.name,
        peerValue: US_PER_SECOND / median(theirs),
        ratio: medianRatio(mine, theirs),
        ...(index === 0 ? { goal: valueAtMost(DECODE_US_MAX) } : {}),
        note: "the ratio is how many times as fast",
      });
    });
  },
};
