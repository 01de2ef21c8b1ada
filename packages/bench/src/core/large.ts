/** A full L1: its memory, and what its size does to the slowest reads. */
import { DEFAULT_PLAN } from "../harness/contender.ts";
import type { RoundPlan } from "../harness/contender.ts";
import { race } from "../harness/race.ts";
import type { Entrant } from "../harness/race.ts";
import { figure, median, medianRatio, samplesOf } from "../harness/statistics.ts";
import { atMost, judge } from "../result.ts";
import type { Case } from "../suite.ts";

const MODULE = new URL("./large-cherry.ts", import.meta.url).href;
const MANY = 1_000_000;
const FEW = 10_000;
const BYTES_PER_MIB = 1024 ** 2;

const ONCE: RoundPlan = { ...DEFAULT_PLAN, rounds: 1, roundMs: 0, warmUpMs: 0, chunkMs: 1 };
/** Collections are part of what is measured: they are left to happen when they happen. */
const TAIL_PLAN: RoundPlan = {
  ...DEFAULT_PLAN,
  rounds: 7,
  roundMs: 3000,
  warmUpMs: 3000,
  collect: false,
};

function entrant(name: string, contender: string, items: number): Entrant {
  return { name, module: MODULE, contender, options: { items } };
}

export const largeMemoryCase: Case = {
  name: "l1-memory",
  about: "resident memory of 1 M items of 1 KB in L1",
  run: async () => {
    const own = entrant("1 M items", "memory use", MANY);
    const samples = samplesOf(await race([own], ONCE), own.name);
    const resident = median(figure(samples, "residentBytes"));
    const payload = median(figure(samples, "payloadBytes"));
    const items = median(figure(samples, "items"));
    if (items !== MANY) throw new Error(`expected ${MANY} items in L1, found ${items}`);
    return [
      judge({
        name: "L1 with 1 M items: resident memory",
        value: resident / BYTES_PER_MIB,
        unit: "MiB",
        peer: "bytes of keys and encoded values",
        peerValue: payload / BYTES_PER_MIB,
        ratio: resident / payload,
        goal: atMost(1.35),
      }),
    ];
  },
};

export const largeTailCase: Case = {
  name: "l1-tail",
  about: "p99.9 of get under churn with 1 M items beside that with 10 k",
  run: async () => {
    const many = entrant("1 M items", "read tail", MANY);
    const few = entrant("10 k items", "read tail", FEW);
    const rounds = await race([many, few], TAIL_PLAN);
    const [mine, theirs] = [many, few].map(({ name }) => figure(samplesOf(rounds, name), "tailUs"));
    const misses = Math.max(...figure(samplesOf(rounds, many.name), "missRatio"));
    if (mine === undefined || theirs === undefined) throw new Error("expected two entrants");
    return [
      judge({
        name: "L1 with 1 M items: p99.9 of get under churn",
        value: median(mine),
        unit: "µs",
        peer: "ours with 10 k items",
        peerValue: median(theirs),
        ratio: medianRatio(mine, theirs),
        goal: atMost(5),
        note: `one write that evicts for ten reads; ${(misses * 100).toFixed(2)} % of reads missed`,
      }),
    ];
  },
};
