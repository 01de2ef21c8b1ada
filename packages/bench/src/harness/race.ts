import { fork } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { Answer, Assignment, Request, RoundPlan, Sample } from "./contender.ts";

const CHILD = fileURLToPath(new URL("./child.ts", import.meta.url));
/** Loading a million items takes a while; a round never does. */
const ANSWER_TIMEOUT_MS = 300_000;
const CLOSE_TIMEOUT_MS = 20_000;

/** One contender of a race. `name` is what reports call it. */
export type Entrant = Omit<Assignment, "plan"> & { readonly name: string };

/** The samples of each entrant, one a round, by the entrant's name. */
export type Rounds = ReadonlyMap<string, readonly Sample[]>;

/**
 * Measures contenders in turn. Each has a process of its own, so that neither its compiled code nor
 * its heap is shaped by another; only one works at a time; the order turns from round to round, so
 * that a slow minute of the machine falls on all alike.
 */
export async function race(entrants: readonly Entrant[], plan: RoundPlan): Promise<Rounds> {
  const runners: Runner[] = [];
  try {
    for (const entrant of entrants) runners.push(await Runner.start(entrant, plan));
    for (let round = 0; round < plan.rounds; round += 1)
      for (const runner of inTurn(runners, round)) await runner.round();
    return new Map(runners.map((runner) => [runner.name, runner.samples]));
  } finally {
    await Promise.all(runners.map((runner) => runner.close()));
  }
}

/** Starts at another place each round, and goes backwards every other. */
function inTurn<T>(items: readonly T[], round: number): T[] {
  const start = round % items.length;
  const turned = [...items.slice(start), ...items.slice(0, start)];
  return round % 2 === 0 ? turned : turned.toReversed();
}

class Runner {
  readonly name: string;
  readonly samples: Sample[] = [];
  readonly #child: ChildProcess;

  private constructor(name: string, child: ChildProcess) {
    this.name = name;
    this.#child = child;
  }

  static async start(entrant: Entrant, plan: RoundPlan): Promise<Runner> {
    const { name, ...assignment } = entrant;
    const execArgv = process.execArgv.includes("--expose-gc")
      ? process.execArgv
      : [...process.execArgv, "--expose-gc"];
    const child = fork(CHILD, [JSON.stringify({ ...assignment, plan })], {
      execArgv,
      stdio: ["ignore", "ignore", "inherit", "ipc"],
    });
    const runner = new Runner(name, child);
    await runner.#answer();
    return runner;
  }

  async round(): Promise<void> {
    const answer = this.#answer();
    this.#send({ kind: "round" });
    const { sample } = await answer;
    if (sample !== undefined) this.samples.push(sample);
  }

  async close(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exit = once(this.#child, "exit", { signal: AbortSignal.timeout(CLOSE_TIMEOUT_MS) });
    this.#send({ kind: "close" });
    await exit.catch(() => this.#child.kill("SIGKILL"));
  }

  #send(request: Request): void {
    if (this.#child.connected) this.#child.send(request);
  }

  /** The next message; fails when the process ends, reports an error or says nothing. */
  #answer(): Promise<{ readonly sample: Sample | undefined }> {
    return new Promise((resolve, reject) => {
      const settle = (act: () => void): void => {
        clearTimeout(timer);
        this.#child.off("message", onMessage);
        this.#child.off("exit", onExit);
        act();
      };
      const refuse = (why: string): void => settle(() => reject(new Error(`${this.name}: ${why}`)));
      const onMessage = (answer: Answer): void => {
        if (answer.kind === "failed") refuse(answer.message);
        else
          settle(() => resolve({ sample: answer.kind === "sample" ? answer.sample : undefined }));
      };
      const onExit = (code: number | null): void => refuse(`its process ended with ${code}`);
      const timer = setTimeout(() => refuse("no answer"), ANSWER_TIMEOUT_MS);
      this.#child.on("message", onMessage);
      this.#child.on("exit", onExit);
    });
  }
}
