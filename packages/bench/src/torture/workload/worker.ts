import { setTimeout as sleep } from "node:timers/promises";
import type { Random } from "@cherry-ai/memory";
import type { BatchStep } from "../servers/protocol.ts";
import type { ServerProcess } from "../servers/server-process.ts";
import type { Stage } from "../stage.ts";
import type { Asker } from "./asker.ts";
import type { Counters } from "./counters.ts";
import { SPACES } from "./keyspace.ts";
import type { Space } from "./keyspace.ts";
import type { Loaders } from "./loaders.ts";
import { peekOne, readMany, readOne } from "./reads.ts";
import { SessionClient } from "./session-client.ts";
import { clearAll, forgetSome, putOne, removeOne, runBatch } from "./writes.ts";

/** What runs of an operation there are in a hundred, by kind. */
export interface Mix {
  readonly get: number;
  readonly latest: number;
  readonly peek: number;
  readonly getMany: number;
  readonly session: number;
  readonly set: number;
  readonly fleeting: number;
  readonly delete: number;
  readonly forget: number;
  readonly clear: number;
  readonly batch: number;
  readonly increment: number;
  readonly getOrSet: number;
  readonly missTogether: number;
}

export const MIX: Mix = {
  get: 40,
  latest: 5,
  peek: 6,
  getMany: 4,
  session: 6,
  set: 14,
  fleeting: 2,
  delete: 6,
  forget: 1,
  clear: 0.7,
  batch: 3,
  increment: 6,
  getOrSet: 5,
  missTogether: 0.3,
};

const FLEETING_MS = [300, 700, 1500] as const;
const BATCH_STEPS_MAX = 6;
/** An atomic batch in how many. */
const ATOMIC_SHARE = 0.4;

export interface WorkerParts {
  readonly stage: Stage;
  readonly random: Random;
  readonly asker: Asker;
  readonly counters: Counters;
  readonly loaders: Loaders;
  readonly mix: Mix;
  /** Longest rest between two operations. */
  readonly restMsMax: number;
}

/** One client: an operation after another, each at a server of its choice. */
export class Worker {
  readonly #parts: WorkerParts;
  readonly #client: SessionClient;

  constructor(parts: WorkerParts) {
    this.#parts = parts;
    this.#client = new SessionClient(parts.asker, parts.random);
  }

  async run(goesOn: () => boolean): Promise<void> {
    const { random, restMsMax, stage } = this.#parts;
    while (goesOn()) {
      const server = this.#server();
      if (server !== undefined) await this.#step(server);
      // A worker must not turn in a ring where every server refuses at once.
      await sleep(stage.present.length === 0 ? 20 : random() * restMsMax);
    }
  }

  async #step(server: ServerProcess): Promise<void> {
    const { asker, counters, loaders, stage } = this.#parts;
    const operation = this.#choose();
    switch (operation) {
      case "get":
        return readOne(asker, server, this.#item());
      case "latest":
        return readOne(asker, server, this.#item(), "latest");
      case "peek":
        return peekOne(asker, server, this.#item());
      case "getMany":
        return readMany(asker, server, this.#some(this.#space(), 8));
      case "session":
        return server.sessions ? this.#client.step(server) : readOne(asker, server, this.#item());
      case "set": {
        await putOne(asker, server, this.#item());
        return undefined;
      }
      case "fleeting": {
        const ttlMs = this.#pick(FLEETING_MS);
        await putOne(asker, server, this.#itemOf(SPACES.fleeting), { ttlMs });
        return undefined;
      }
      case "delete":
        return removeOne(asker, server, this.#item());
      case "forget":
        return forgetSome(asker, server, this.#some(SPACES.main, 3));
      case "clear":
        return clearAll(asker, server, SPACES.cleared);
      case "batch":
        return runBatch(asker, server, this.#batch());
      case "increment":
        return counters.increment(
          server,
          this.#server() ?? server,
          this.#pick(SPACES.counted.keys),
        );
      case "getOrSet":
        return loaders.getOrSet(server, this.#pick(SPACES.loaded.keys));
      case "missTogether":
        return loaders.missTogether(stage.present);
    }
  }

  #choose(): keyof Mix {
    const { mix, random } = this.#parts;
    const entries = Object.entries(mix) as [keyof Mix, number][];
    let left = random() * entries.reduce((sum, [, weight]) => sum + weight, 0);
    for (const [name, weight] of entries) {
      left -= weight;
      if (left < 0) return name;
    }
    return "get";
  }

  #server(): ServerProcess | undefined {
    const { present } = this.#parts.stage;
    return present[Math.floor(this.#parts.random() * present.length)];
  }

  /** Counters are left to increments: a put would undo them. */
  #space(): Space {
    const roll = this.#parts.random();
    if (roll < 0.7) return SPACES.main;
    if (roll < 0.85) return SPACES.cleared;
    return roll < 0.93 ? SPACES.fleeting : SPACES.loaded;
  }

  #item(): { readonly namespace: string; readonly key: string } {
    return this.#itemOf(this.#space());
  }

  #itemOf({ namespace, keys }: Space): { readonly namespace: string; readonly key: string } {
    return { namespace, key: this.#pick(keys) };
  }

  #some({ namespace, keys }: Space, most: number): Space {
    const from = Math.floor(this.#parts.random() * keys.length);
    const count = 1 + Math.floor(this.#parts.random() * most);
    return { namespace, keys: keys.slice(from, from + count) };
  }

  #batch(): Parameters<typeof runBatch>[2] {
    const { namespace, keys } = this.#some(SPACES.main, BATCH_STEPS_MAX);
    const types: readonly BatchStep["type"][] = ["set", "set", "delete", "get"];
    const steps = keys.map((key) => ({ type: this.#pick(types), key }));
    return { namespace, steps, atomic: this.#parts.random() < ATOMIC_SHARE };
  }

  #pick<T>(items: readonly T[]): T {
    const item = items[Math.floor(this.#parts.random() * items.length)];
    if (item === undefined) throw new Error("nothing to choose from");
    return item;
  }
}
