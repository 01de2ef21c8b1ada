import { setTimeout as sleep } from "node:timers/promises";
import { seededRandom } from "@cherry-ai/memory/testing";
import type { Random } from "@cherry-ai/memory";
import { check, countViolations } from "./checker/checker.ts";
import type { Fault, FaultContext } from "./faults/fault.ts";
import { between } from "./faults/fault.ts";
import { Recorder } from "./history/history.ts";
import type { TortureOptions } from "./torture-options.ts";
import type { TortureReport } from "./report.ts";
import { judge } from "./report.ts";
import type { ServerProcess } from "./servers/server-process.ts";
import { isOurs } from "./servers/subjects.ts";
import { Stage } from "./stage.ts";
import { Asker, nowMs } from "./workload/asker.ts";
import { Counters } from "./workload/counters.ts";
import { SPACES, itemName } from "./workload/keyspace.ts";
import type { Space } from "./workload/keyspace.ts";
import { Loaders } from "./workload/loaders.ts";
import { readMany } from "./workload/reads.ts";
import { Tally } from "./workload/tally.ts";
import { Worker } from "./workload/worker.ts";
import { putOne } from "./workload/writes.ts";

/** How long a fault's aftermath counts as its own. */
const AFTERMATH_MS = 1000;
const HEALTHY_WITHIN_MS = 60_000;
const SKEW_MS_MAX = 120_000;

/** Tortures one subject for so long and judges what was seen. */
export async function runTorture(options: TortureOptions): Promise<TortureReport> {
  const run = new Run(options);
  return run.run();
}

class Run {
  readonly #options: TortureOptions;
  readonly #random: Random;
  readonly #recorder = new Recorder();
  readonly #tally = new Tally();
  readonly #asker: Asker;
  readonly #counters: Counters;
  readonly #loaders: Loaders;
  readonly #struck = new Map<string, number>();
  readonly #problems: string[] = [];

  constructor(options: TortureOptions) {
    this.#options = options;
    this.#asker = new Asker(this.#recorder, this.#tally, isOurs(options.subject));
    this.#counters = new Counters(this.#asker);
    this.#loaders = new Loaders(this.#asker);
    this.#random = seededRandom(options.seed);
    for (const { name } of options.faults) this.#struck.set(name, 0);
  }

  async run(): Promise<TortureReport> {
    const { subject, servers, withRedis, boundMs, broken } = this.#options;
    const { prepareDatabase, databaseUrlOf } = this.#options;
    const skewed = this.#options.faults.some(({ name }) => name === "skewedClocks");
    const stage = await Stage.open({
      postgres: this.#options.postgres,
      subject,
      servers,
      withRedis,
      boundMs,
      broken,
      prepareDatabase,
      databaseUrlOf,
      clockOffsetsMs: Array.from({ length: servers }, () =>
        skewed ? between(this.#random, -SKEW_MS_MAX, SKEW_MS_MAX) : 0,
      ),
      load: (namespace, key) => this.#loaders.load(namespace, key),
    });
    try {
      await this.#fill(stage);
      await this.#strain(stage);
      await this.#settle(stage);
    } finally {
      await stage.close();
    }
    return this.#judge(stage);
  }

  async #fill(stage: Stage): Promise<void> {
    const [first] = stage.servers;
    if (first === undefined) throw new Error("a run needs a server");
    await this.#counters.start(first);
    for (const { namespace, keys } of [SPACES.main, SPACES.cleared])
      await Promise.all(keys.map((key) => putOne(this.#asker, first, { namespace, key })));
  }

  /** Workers and faults, until the time is up. */
  async #strain(stage: Stage): Promise<void> {
    const { seconds, workers, mix, restMsMax } = this.#options;
    const endMs = nowMs() + seconds * 1000;
    let isOver = false;
    const parts = {
      stage,
      asker: this.#asker,
      counters: this.#counters,
      loaders: this.#loaders,
      mix,
      restMsMax,
    };
    const working = Array.from({ length: workers }, (_, index) =>
      new Worker({ ...parts, random: seededRandom(this.#options.seed + 1 + index) }).run(
        () => !isOver,
      ),
    );
    try {
      await this.#strikeUntil(stage, endMs);
    } finally {
      isOver = true;
      await Promise.all(working);
    }
  }

  async #strikeUntil(stage: Stage, endMs: number): Promise<void> {
    const { faults, calmMs, progress } = this.#options;
    if (faults.length === 0) {
      await sleep(endMs - nowMs());
      return;
    }
    let deck: Fault[] = [];
    while (nowMs() < endMs) {
      await sleep(between(this.#random, ...calmMs));
      if (deck.length === 0) deck = this.#shuffled(faults);
      const fault = deck.pop();
      if (fault === undefined || nowMs() >= endMs) return;
      this.#struck.set(fault.name, (this.#struck.get(fault.name) ?? 0) + 1);
      this.#tally.phase = fault.name;
      progress(
        `${((endMs - nowMs()) / 1000).toFixed(0).padStart(4)} s left, ${this.#tally.operations} operations: ${fault.name}`,
      );
      try {
        await fault.strike(this.#context(stage));
      } catch (error) {
        this.#problems.push(`${fault.name} could not be done: ${String(error)}`);
      }
      await sleep(AFTERMATH_MS);
      this.#tally.phase = "calm";
    }
  }

  #shuffled(faults: readonly Fault[]): Fault[] {
    const rest = [...faults];
    const shuffled: Fault[] = [];
    while (rest.length > 0)
      shuffled.push(...rest.splice(Math.floor(this.#random() * rest.length), 1));
    return shuffled;
  }

  #context(stage: Stage): FaultContext {
    return {
      stage,
      random: this.#random,
      boundMs: this.#options.boundMs,
      sleep: async (delayMs) => {
        await sleep(delayMs);
      },
      readEverything: async (server) => {
        await Promise.all(
          Object.values(SPACES).flatMap(({ namespace, keys }) =>
            keys.map((key) => readMany(this.#asker, server, { namespace, keys: [key] })),
          ),
        );
      },
    };
  }

  /** Everything is well again, then quiet; then all must agree. */
  async #settle(stage: Stage): Promise<void> {
    this.#tally.phase = "settling";
    await stage.calm();
    if (!(await this.#becomesHealthy(stage)))
      this.#problems.push(
        `not every server reads and writes ${HEALTHY_WITHIN_MS} ms after the last fault`,
      );
    await sleep(this.#options.boundMs * 1.5);
    this.#tally.phase = "quiet";
    const [first] = stage.servers;
    if (first === undefined) return;
    for (const space of Object.values(SPACES)) await this.#compare(stage, first, space);
    await this.#counters.finish(first);
  }

  async #becomesHealthy(stage: Stage): Promise<boolean> {
    const endMs = nowMs() + HEALTHY_WITHIN_MS;
    const item = { namespace: SPACES.main.namespace, key: SPACES.main.keys[0] ?? "" };
    for (const server of stage.servers) {
      while (!(await putOne(this.#asker, server, item))) {
        if (nowMs() > endMs) return false;
        await sleep(200);
      }
    }
    return true;
  }

  async #compare(stage: Stage, first: ServerProcess, space: Space): Promise<void> {
    const { namespace } = space;
    for (const key of space.keys) {
      const call = { op: "get", namespace, key } as const;
      const truth = await this.#asker.ask(first, { ...call, consistency: "latest" });
      if (truth === undefined) {
        this.#problems.push(`${itemName(namespace, key)} cannot be read after quiet`);
        continue;
      }
      const name = itemName(namespace, key);
      this.#asker.read(
        truth,
        { key: name, mode: "latest", session: undefined },
        truth.answer.shown,
      );
      for (const server of stage.servers) {
        const asked = await this.#asker.ask(server, { ...call, consistency: "any" });
        if (asked === undefined) continue;
        this.#tally.checked("quiet");
        this.#recorder.finals.push({
          key: name,
          server: asked.server,
          shown: asked.answer.shown?.id,
          truth: truth.answer.shown?.id,
        });
      }
    }
  }

  #judge(stage: Stage): TortureReport {
    const { boundMs, subject } = this.#options;
    const verdict = check(this.#recorder, {
      boundMs,
      counts: isOurs(subject) ? "everything" : "cached reads",
    });
    const crashes = stage.servers.reduce((sum, server) => sum + server.crashes, 0);
    if (crashes > 0) this.#problems.push(`${crashes} server processes crashed`);
    return judge({
      options: this.#options,
      violations: verdict.violations,
      counts: countViolations(verdict.violations),
      staleLoads: verdict.staleLoads.length,
      struck: Object.fromEntries(this.#struck),
      tally: this.#tally,
      sessions: stage.servers.every(({ sessions }) => sessions),
      loaderCallsPerMiss: this.#loaders.callsPerMiss,
      problems: this.#problems,
    });
  }
}
