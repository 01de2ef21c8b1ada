import { toMemoryError } from "../../src/model/errors.ts";
import { batch } from "./batch-operation.ts";
import { Floors } from "./floors.ts";
import { Operation } from "./operation.ts";
import type { Session } from "./operation.ts";
import * as reads from "./read-operations.ts";
import type { SimulatedProcess } from "./simulated-process.ts";
import type { SimulatedServer } from "./simulated-server.ts";
import type { World } from "./world.ts";
import * as writes from "./write-operations.ts";

type Work = (op: Operation) => Promise<void>;
type Mix = readonly (readonly [weight: number, name: string, work: Work])[];

const READS: Mix = [
  [30, "get", reads.get],
  [30, "getItem", reads.getItem],
  [15, "peek", reads.peek],
  [10, "getMany", reads.getMany],
  [5, "exists", reads.exists],
  [10, "getOrSet", writes.getOrSet],
];

const WRITES: Mix = [
  [34, "set", writes.set],
  [16, "delete", writes.remove],
  [5, "touch", writes.touch],
  [10, "cas", writes.compareAndSet],
  [10, "count", writes.count],
  [4, "clear", writes.clear],
  [9, "batch", batch],
  [12, "ephemeral", writes.setEphemeral],
];

const SESSIONS = 3;
const SESSION_SHARE = 0.35;
/** What may fail a read while something is away. */
const READS_MAY_FAIL: ReadonlySet<string> = new Set([
  "STORE_UNAVAILABLE",
  "OUTCOME_UNKNOWN",
  "DEADLINE_EXCEEDED",
]);

/** Lets operations happen at random moments of the run, many of them at once. */
export class Workload {
  readonly #world: World;
  readonly #sessions: Session[] = Array.from({ length: SESSIONS }, () => ({
    token: undefined,
    floors: new Floors(),
    busyIn: undefined,
  }));
  readonly #underway = new Map<number, SimulatedProcess>();
  /** Operations begun, ended, and failed because something was away. */
  begun = 0;
  ended = 0;
  failed = 0;

  constructor(world: World) {
    this.#world = world;
  }

  /** Operations whose process lives and that have not ended. */
  underway(): number {
    let alive = 0;
    for (const process of this.#underway.values()) if (process.isAlive) alive += 1;
    return alive;
  }

  schedule(): void {
    const { scheduler, plan } = this.#world;
    for (let number = 1; number <= plan.operations; number += 1)
      scheduler.after(plan.runMs * scheduler.random(), () => this.#begin(number));
  }

  #begin(number: number): void {
    const { scheduler, plan, servers } = this.#world;
    const ready = servers.filter(({ memory }) => memory !== undefined);
    const server = ready[Math.floor(scheduler.random() * ready.length)];
    if (server === undefined) return;
    const mix = scheduler.random() < plan.writeShare ? WRITES : READS;
    const [, name, work] = pickOf(mix, scheduler.random());
    const session = this.#freeSession();
    const { process } = server;
    if (session !== undefined) session.busyIn = process;
    this.begun += 1;
    this.#underway.set(number, process);
    process.deliver(() => void this.#run({ number, name, work, server, session }));
  }

  async #run(given: {
    readonly number: number;
    readonly name: string;
    readonly work: Work;
    readonly server: SimulatedServer;
    readonly session: Session | undefined;
  }): Promise<void> {
    const { number, name, work, server, session } = given;
    const { memory } = server;
    if (memory === undefined) {
      this.#underway.delete(number);
      return;
    }
    const op = new Operation({ world: this.#world, server, memory, session, name, number });
    try {
      await work(op);
      op.keepToken();
      this.ended += 1;
    } catch (error) {
      const { code, message } = toMemoryError(error);
      if (READS_MAY_FAIL.has(code)) this.failed += 1;
      else this.#world.checker.fail("error", `${name}#${number}: ${code} ${message}`);
      op.trace(() => `failed: ${code}`);
    }
    this.#underway.delete(number);
    if (session !== undefined) session.busyIn = undefined;
  }

  #freeSession(): Session | undefined {
    const { random } = this.#world.scheduler;
    if (random() >= SESSION_SHARE) return undefined;
    const session = this.#sessions[Math.floor(random() * SESSIONS)];
    return session?.busyIn?.isAlive === true ? undefined : session;
  }
}

function pickOf(mix: Mix, chance: number): Mix[number] {
  const sum = mix.reduce((total, [weight]) => total + weight, 0);
  let left = chance * sum;
  for (const entry of mix) {
    left -= entry[0];
    if (left < 0) return entry;
  }
  const [first] = mix;
  if (first === undefined) throw new Error("the mix is empty");
  return first;
}
