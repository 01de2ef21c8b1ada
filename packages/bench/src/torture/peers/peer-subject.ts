import type {
  Answer,
  Assignment,
  BatchStep,
  Call,
  Shown,
  StepAnswer,
} from "../servers/protocol.ts";
import { SPACES } from "../workload/keyspace.ts";
import type { Loader, Subject, SubjectFactory } from "../servers/subject.ts";
import type { PeerCache, PeerCacheFactory } from "./peer-cache.ts";
import { Truth } from "./truth.ts";
import type { Entry } from "./truth.ts";

type Ask = Parameters<Subject["run"]>[0];
type CallOf<Op extends Call["op"]> = Extract<Call, { op: Op }>;

/** A refusal with a code, as ours has them. */
class Refused extends Error {
  readonly code: string;

  constructor(code: string) {
    super(code);
    this.code = code;
  }
}

/** Makes a subject of a cache: the database is true, the cache stands before it. */
export function peerSubject(make: PeerCacheFactory): SubjectFactory {
  return async (assignment: Assignment, load: Loader) => {
    const { databaseUrl, redisUrl } = assignment;
    if (redisUrl === undefined) throw new Error("a peer needs Redis");
    const truth = new Truth(databaseUrl);
    await truth.open();
    return new PeerSubject(truth, await make(redisUrl), load);
  };
}

class PeerSubject implements Subject {
  readonly sessions = false;
  readonly #truth: Truth;
  readonly #cache: PeerCache;
  readonly #load: Loader;

  constructor(truth: Truth, cache: PeerCache, load: Loader) {
    this.#truth = truth;
    this.#cache = cache;
    this.#load = load;
  }

  /** None of them takes a clock. */
  skewClock(): void {}

  async close(): Promise<void> {
    await this.#cache.close();
    await this.#truth.close();
  }

  async run(call: Ask): Promise<Answer> {
    const { namespace } = call;
    switch (call.op) {
      case "get":
        return { shown: await this.#get(namespace, call.key, call.consistency === "latest") };
      case "peek":
        return { shown: await this.#get(namespace, call.key, false) };
      case "getMany": {
        const isLatest = call.consistency === "latest";
        const many = call.keys.map(
          async (key) => (await this.#get(namespace, key, isLatest)) ?? null,
        );
        return { many: await Promise.all(many) };
      }
      case "set":
        return this.#set(call);
      case "delete":
      case "forget":
        return this.#remove(namespace, call.op === "delete" ? [call.key] : call.keys);
      case "clear":
        return this.#clear(namespace);
      case "getOrSet":
        return { shown: await this.#getOrSet(namespace, call.key) };
      case "batch": {
        const steps: StepAnswer[] = [];
        for (const step of call.steps) steps.push(await this.#step(namespace, step));
        return { steps };
      }
    }
  }

  async #get(namespace: string, key: string, isLatest: boolean): Promise<Shown> {
    const load = (): Promise<Entry> => this.#truth.get(namespace, key);
    // What has a short life is not cached: no two of them agree on lifetimes.
    if (isLatest || namespace === SPACES.fleeting.namespace) return shown(await load());
    return shown(await this.#cache.read(name(namespace, key), load));
  }

  async #set(call: CallOf<"set">): Promise<Answer> {
    const { namespace, key, value, ttlSeconds, replaces } = call;
    const version = await this.#truth.put(namespace, key, value, {
      ...(ttlSeconds === undefined ? {} : { ttlSeconds }),
      ...(replaces === undefined ? {} : { replaces }),
    });
    if (version === undefined) throw new Refused("VERSION_CONFLICT");
    await this.#cache.written(name(namespace, key), { value, version });
    return { version };
  }

  async #remove(namespace: string, keys: readonly string[]): Promise<Answer> {
    const versions = await this.#truth.remove(namespace, keys);
    for (const key of keys) await this.#cache.removed(name(namespace, key));
    const version = keys[0] === undefined ? undefined : versions.get(keys[0]);
    return keys.length > 1 || version === undefined ? {} : { version };
  }

  async #clear(namespace: string): Promise<Answer> {
    const versions = await this.#truth.remove(namespace);
    for (const key of versions.keys()) await this.#cache.removed(name(namespace, key));
    return {};
  }

  async #getOrSet(namespace: string, key: string): Promise<Shown> {
    return shown(
      await this.#cache.read(name(namespace, key), async () => {
        const current = await this.#truth.get(namespace, key);
        if (current.value !== null) return current;
        const value = await this.#load(namespace, key);
        const version = await this.#truth.put(namespace, key, value);
        return { value, version: version ?? current.version };
      }),
    );
  }

  async #step(namespace: string, step: BatchStep): Promise<StepAnswer> {
    const { key } = step;
    if (step.type === "get") return { shown: await this.#get(namespace, key, false) };
    const answer =
      step.type === "set"
        ? await this.#set({ op: "set", namespace, key, value: step.value })
        : await this.#remove(namespace, [key]);
    return answer.version === undefined ? {} : { version: answer.version };
  }
}

function name(namespace: string, key: string): string {
  return `${namespace}/${key}`;
}

function shown({ value, version }: Entry): Shown {
  return value === null ? undefined : { ...value, version };
}
