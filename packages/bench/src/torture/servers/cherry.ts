import { UnifiedMemoryManager } from "@cherry-ai/memory";
import type {
  BatchOperation,
  BatchResult,
  Memory,
  MemoryItem,
  SessionMemory,
} from "@cherry-ai/memory";
import { breakPart } from "../broken/broken.ts";
import type { Answer, Assignment, Call, Shown, StepAnswer, Value } from "./protocol.ts";
import { SkewedClock } from "./skewed-clock.ts";
import type { Loader, Subject } from "./subject.ts";

const SWEEP_INTERVAL_MS = 1000;
/** Connections of one server: enough for reads, writes and the log to overtake one another. */
const CONNECTIONS = 6;

/** Our own memory over one PostgreSQL, with or without Redis. */
export async function cherrySubject(assignment: Assignment, load: Loader): Promise<Subject> {
  const clock = new SkewedClock(assignment.clockOffsetMs);
  const { databaseUrl, redisUrl, servers, boundMs, broken } = assignment;
  if (broken !== undefined) breakPart(broken, { clock, redisUrl });
  const manager = new UnifiedMemoryManager(
    {
      maxStalenessMs: boundMs,
      tiers: {
        L2: redisUrl === undefined ? { enabled: false } : { enabled: true, url: redisUrl },
        L3: {
          url: databaseUrl,
          connectionBudget: CONNECTIONS * servers,
          servers,
        },
      },
      optimization: { sweepIntervalMs: SWEEP_INTERVAL_MS },
    },
    { clock },
  );
  await manager.initialize();
  return new CherrySubject(manager, clock, load);
}

class CherrySubject implements Subject {
  readonly sessions = true;
  readonly #manager: UnifiedMemoryManager;
  readonly #clock: SkewedClock;
  readonly #load: Loader;

  constructor(manager: UnifiedMemoryManager, clock: SkewedClock, load: Loader) {
    this.#manager = manager;
    this.#clock = clock;
    this.#load = load;
  }

  skewClock(byMs: number): void {
    this.#clock.offsetMs = byMs;
  }

  close(): Promise<void> {
    return this.#manager.close();
  }

  async run(call: Parameters<Subject["run"]>[0]): Promise<Answer> {
    const plain = this.#manager.namespace(call.namespace);
    const token = "session" in call ? call.session : undefined;
    if (token === undefined) return this.#run(plain, call);
    const memory: SessionMemory = plain.session(token === "" ? undefined : token);
    const answer = await this.#run(memory, call);
    return { ...answer, session: memory.token };
  }

  async #run(memory: Memory, call: Parameters<Subject["run"]>[0]): Promise<Answer> {
    switch (call.op) {
      case "get":
        return get(memory, call);
      case "peek":
        return { shown: memory.peek<Value & {}>(call.key) };
      case "getMany": {
        const { keys, consistency } = call;
        const values = await memory.getMany<Value & {}>(keys, { consistency });
        return { many: values.map((value) => value ?? null) };
      }
      case "set":
        return set(memory, call);
      case "delete": {
        const { existed, version } = await memory.delete(call.key);
        // Of nothing: the version that it drew is on no item.
        return existed ? { version: Number(version) } : {};
      }
      case "clear":
        return { version: Number((await memory.clear()).version) };
      case "forget":
        await memory.forget({ keys: call.keys });
        return {};
      case "getOrSet": {
        const { namespace, key } = call;
        return { shown: await memory.getOrSet<Value>(key, () => this.#load(namespace, key)) };
      }
      case "batch":
        return batch(memory, call);
    }
  }
}

async function get(
  memory: Memory,
  { key, consistency }: Extract<Call, { op: "get" }>,
): Promise<Answer> {
  return { shown: shownOf(await memory.getItem<Value & {}>(key, { consistency })) };
}

function shownOf(item: MemoryItem<Value> | undefined): Shown {
  return item && { ...item.value, version: Number(item.version) };
}

async function set(memory: Memory, call: Extract<Call, { op: "set" }>): Promise<Answer> {
  const { key, value, ttlSeconds, replaces } = call;
  const receipt = await memory.set(key, value, {
    ...(ttlSeconds === undefined ? {} : { ttlSeconds }),
    ...(replaces === undefined ? {} : { ifVersion: String(replaces) }),
  });
  return { version: Number(receipt.version) };
}

async function batch(memory: Memory, call: Extract<Call, { op: "batch" }>): Promise<Answer> {
  const operations = call.steps.map((step): BatchOperation => step);
  const results = await memory.batchOperations(operations, { atomic: call.atomic });
  return { steps: results.map(stepAnswer) };
}

function stepAnswer(result: BatchResult): StepAnswer {
  if (!result.success) return { errorCode: result.error?.code ?? "INTERNAL" };
  if (result.type === "get") {
    // A get gives back what some set of this run stored.
    return result.found ? { shown: result.value as unknown as Value } : {};
  }
  if (result.type === "delete" && result.existed !== true) return {};
  return { version: Number(result.version) };
}
