import { setTimeout as sleep } from "node:timers/promises";
import type { Value } from "../servers/protocol.ts";
import type { ServerProcess } from "../servers/server-process.ts";
import { nowMs } from "./asker.ts";
import type { Asker } from "./asker.ts";
import { LOADED, itemName } from "./keyspace.ts";

/** A source takes its time, so that callers meet and writes overtake it. */
const LOAD_MS = 40;
const CALLERS_A_SERVER = 3;

/** Loaders on all servers, and the source that they ask: this process. */
export class Loaders {
  readonly #asker: Asker;
  readonly #loadedIds = new Set<number>();
  readonly #callsByItem = new Map<string, number>();
  #misses = 0;
  #calls = 0;
  #lastFresh = 0;

  constructor(asker: Asker) {
    this.#asker = asker;
  }

  /** The source. What it gives is a value of the moment at which it was asked. */
  async load(namespace: string, key: string): Promise<Value> {
    const name = itemName(namespace, key);
    this.#callsByItem.set(name, (this.#callsByItem.get(name) ?? 0) + 1);
    const { recorder } = this.#asker;
    const id = recorder.nextId();
    this.#loadedIds.add(id);
    const askedAt = nowMs();
    const write = recorder.begin({ id, key: name, kind: "put", server: "source", start: askedAt });
    // Stored or not: whoever was first decides. A read that shows it proves it.
    write.outcome = "unknown";
    await sleep(LOAD_MS);
    recorder.loads.push({ id, key: name, askedAt, answeredAt: nowMs() });
    return { id };
  }

  async getOrSet(server: ServerProcess, key: string): Promise<void> {
    const asked = await this.#asker.ask(server, { op: "getOrSet", namespace: LOADED, key });
    const shown = asked?.answer.shown;
    if (asked === undefined || shown === undefined) return;
    this.#asker.tally.checked("getOrSet");
    // What a loader brought may have come to its caller alone; anything else lay there.
    if (this.#loadedIds.has(shown.id)) return;
    const read = { key: itemName(LOADED, key), mode: "any", session: undefined } as const;
    this.#asker.read(asked, read, shown);
  }

  /** All servers want one item that is not there, several callers each. */
  async missTogether(servers: readonly ServerProcess[]): Promise<void> {
    this.#lastFresh += 1;
    const key = `fresh${this.#lastFresh}`;
    const isCalm = this.#asker.tally.phase === "calm";
    const callers = servers.flatMap((server) =>
      Array<ServerProcess>(CALLERS_A_SERVER).fill(server),
    );
    await Promise.all(callers.map((server) => this.getOrSet(server, key)));
    // A fault may make a server call on its own: only undisturbed misses are counted.
    if (!isCalm || this.#asker.tally.phase !== "calm") return;
    this.#misses += 1;
    this.#calls += this.#callsByItem.get(itemName(LOADED, key)) ?? 0;
  }

  get callsPerMiss(): number {
    return this.#misses === 0 ? Number.NaN : this.#calls / this.#misses;
  }
}
