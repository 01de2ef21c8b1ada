/** How long after the writer's COMMIT another server drops its copy. */
import { DEFAULT_CONFIG } from "@cherry-ai/memory";
import { setTimeout as sleep } from "node:timers/promises";
import { median, percentile } from "../harness/statistics.ts";
import { atMost, judge } from "../result.ts";
import type { Goal, Result } from "../result.ts";
import type { Case, Context } from "../suite.ts";
import { Crew } from "./crew.ts";
import { WRITERS } from "./drop-messages.ts";
import type { DropAnswer, DropOrder, Moment } from "./drop-messages.ts";
import { serversFor } from "./needs.ts";

const MODULE = new URL("./drop-process.ts", import.meta.url);
const ROUNDS = 5;
const RUN_MS = 3000;
/** The first round is not counted: code is compiled, connections are made. */
const WARM_UP_ROUNDS = 1;
const SAMPLES_MIN = 200;
const TAIL = 0.99;

interface Round {
  readonly dropMs: number;
  /** NaN without Redis. */
  readonly bareMs: number;
  readonly samples: number;
}

/** For each change whose copy was there: from commit to drop. */
function delays(commits: readonly Moment[], drops: readonly Moment[]): Float64Array {
  const committed = new Map(commits.map(([key, version, atMs]) => [`${key} ${version}`, atMs]));
  const found = drops.flatMap(([key, version, atMs]) => {
    const since = committed.get(`${key} ${version}`);
    return since === undefined ? [] : [atMs - since];
  });
  return Float64Array.from(found);
}

async function oneRound(
  writer: Crew<DropOrder, DropAnswer>,
  receiver: Crew<DropOrder, DropAnswer>,
): Promise<Round> {
  const order = (kind: DropOrder["kind"]): DropOrder[] => [{ kind, durationMs: RUN_MS }];
  await receiver.ask(order("prepare"));
  const [wrote] = await writer.ask(order("run"));
  // Whatever is still to be heard of comes within the bound.
  await sleep(DEFAULT_CONFIG.maxStalenessMs);
  const [heard] = await receiver.ask(order("report"));
  if (wrote === undefined || heard === undefined) throw new Error("expected two answers");
  const dropped = delays(wrote.moments, heard.moments);
  if (dropped.length < SAMPLES_MIN) throw new Error(`only ${dropped.length} copies were dropped`);
  return {
    dropMs: percentile(dropped, TAIL),
    bareMs: percentile(Float64Array.from(heard.bareMs), TAIL),
    samples: dropped.length,
  };
}

async function measure(context: Context, redis: boolean): Promise<readonly Round[]> {
  const servers = await serversFor(context, redis ? "drop_redis" : "drop", { redis });
  const writer = await Crew.start<DropOrder, DropAnswer>(MODULE, [{ ...servers, role: "writer" }]);
  try {
    await writer.ask([{ kind: "prepare", durationMs: 0 }]);
    const assignment = { ...servers, role: "receiver" };
    const receiver = await Crew.start<DropOrder, DropAnswer>(MODULE, [assignment]);
    try {
      const rounds: Round[] = [];
      for (let round = 0; round < WARM_UP_ROUNDS + ROUNDS; round += 1)
        rounds.push(await oneRound(writer, receiver));
      return rounds.slice(WARM_UP_ROUNDS);
    } finally {
      await receiver.close();
    }
  } finally {
    await writer.close();
  }
}

function result(
  rounds: readonly Round[],
  what: { readonly name: string; readonly peer: string; readonly goal: Goal },
  peerMs: (round: Round) => number,
): Result {
  const samples = rounds.reduce((sum, round) => sum + round.samples, 0);
  return judge({
    ...what,
    value: median(rounds.map(({ dropMs }) => dropMs)),
    unit: "ms",
    peerValue: median(rounds.map(peerMs)),
    ratio: median(rounds.map((round) => round.dropMs / peerMs(round))),
    note: `p99 of ${ROUNDS} rounds, ${samples} drops; both ends are timed by the monotonic clock of one machine`,
  });
}

export const dropCase: Case = {
  name: "drop",
  about: "from COMMIT returning to the copy dropped in another process, 16 writers",
  run: async (context) => {
    const withRedis = result(
      await measure(context, true),
      {
        name: `COMMIT to copy dropped, ${WRITERS} writers`,
        peer: "bare ioredis publish/subscribe meanwhile",
        goal: atMost(5),
      },
      ({ bareMs }) => bareMs,
    );
    const { maxStalenessMs } = DEFAULT_CONFIG;
    const without = result(
      await measure(context, false),
      {
        name: `COMMIT to copy dropped, ${WRITERS} writers, without Redis`,
        peer: "half the staleness bound",
        goal: atMost(1),
      },
      () => maxStalenessMs / 2,
    );
    return [withRedis, without];
  },
};
