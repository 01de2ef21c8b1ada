import type { UnifiedMemoryManager } from "../../src/manager/unified-memory-manager.ts";
import type { Memory, SessionMemory } from "../../src/manager/memory.ts";
import type { ItemRef, JsonValue } from "../../src/model/item.ts";
import type { Checker, Reading } from "./checker.ts";
import type { Floors } from "./floors.ts";
import type { SimulatedProcess } from "./simulated-process.ts";
import type { SimulatedServer } from "./simulated-server.ts";
import type { World } from "./world.ts";

/** A user whose token goes from server to server. */
export interface Session {
  token: string | undefined;
  readonly floors: Floors;
  /** Its operations come one after another; one in a process that died never ends. */
  busyIn: SimulatedProcess | undefined;
}

export interface OperationParts {
  readonly world: World;
  readonly server: SimulatedServer;
  readonly memory: UnifiedMemoryManager;
  readonly session: Session | undefined;
  readonly name: string;
  readonly number: number;
}

/** One operation of the workload: what it works on, and what its answers are told to. */
export class Operation {
  readonly checker: Checker;
  readonly #parts: OperationParts;
  #values = 0;
  #view: SessionMemory | undefined;

  constructor(parts: OperationParts) {
    this.#parts = parts;
    this.checker = parts.world.checker;
    const { session, memory } = parts;
    if (session !== undefined) this.#view = memory.session(session.token);
  }

  /** The namespace, through the session if there is one. */
  memory(path: string): Memory | SessionMemory {
    return (this.#view ?? this.#parts.memory).namespace(path);
  }

  get hasSession(): boolean {
    return this.#view !== undefined;
  }

  get nowMs(): number {
    return this.#parts.world.scheduler.nowMs;
  }

  /** Takes the token that the session goes on with. */
  keepToken(): void {
    const { session } = this.#parts;
    if (session !== undefined && this.#view !== undefined) session.token = this.#view.token;
  }

  /** On the server's own clock. */
  sleep(delayMs: number): Promise<void> {
    return this.#parts.server.process.sleep(delayMs);
  }

  random(): number {
    return this.#parts.world.scheduler.random();
  }

  pick<T>(list: readonly T[]): T {
    const one = list[Math.floor(this.random() * list.length)];
    if (one === undefined) throw new Error("nothing to pick from");
    return one;
  }

  /** A value that nobody else writes. */
  value(): JsonValue {
    this.#values += 1;
    return this.#parts.number * 100 + this.#values;
  }

  /** From here on answers are judged. `boundMs` 0: nothing that is older than this moment. */
  begin(boundMs?: number): Reading {
    const { world, server, session, name, number } = this.#parts;
    return {
      who: server.process.name,
      what: `${name}#${number}`,
      beganMs: this.nowMs,
      boundMs: boundMs ?? world.plan.boundMs,
      server: server.floors,
      session: session?.floors,
      beganAt: world.scheduler.events,
    };
  }

  trace(line: () => string): void {
    const { world, server, name, number } = this.#parts;
    world.scheduler.trace(() => `${server.process.name} ${name}#${number} ${line()}`);
  }
}

export function keyed(namespace: string, key: string): ItemRef {
  return { namespace, key };
}
