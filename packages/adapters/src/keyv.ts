import { EventEmitter } from "node:events";
import { DEFAULT_LIMITS } from "@cherry-ai/memory";
import type { BatchOperation, Memory } from "@cherry-ai/memory";
import { pieces, runEach, runInBatches, throwFirstFailure } from "./batches.ts";
import { givenKey, storedKey, storedSegment } from "./names.ts";

const DEFAULT_NAMESPACE = ["keyv"];
const MS_PER_SECOND = 1000;

export interface KeyvStoreOptions {
  /**
   * Where the entries are, below the given memory; default `["keyv"]`. Nothing else should be kept
   * there: `clear()` empties it.
   */
  readonly namespace?: readonly string[];
}

/** An entry of `setMany`; `ttl` in milliseconds. */
export interface KeyvStoreEntry {
  readonly key: string;
  readonly value: unknown;
  readonly ttl?: number | undefined;
}

/**
 * A memory as a store of Keyv 5 and 6. A Keyv namespace is a namespace of the memory, so that
 * `clear()` is one write, whatever it empties, and touches nothing else.
 *
 * Keyv assigns `namespace` to its store: each Keyv needs a store object of its own. No type of Keyv
 * is named here: its two versions differ in them, and agree in what they call.
 */
export class KeyvStore extends EventEmitter {
  /** Keyv 5 offers an iterator only over stores whose dialect it knows. */
  readonly opts: { dialect: string; [name: string]: unknown } = { dialect: "postgres" };
  /** Assigned by Keyv. Undefined or "" = entries without a namespace, which are apart from others. */
  namespace: string | undefined = undefined;
  readonly #base: Memory;

  constructor(memory: Memory, options: KeyvStoreOptions = {}) {
    super();
    this.#base = memory.namespace(options.namespace ?? DEFAULT_NAMESPACE);
  }

  /** Keyv 5 takes a read that fails for a miss, without a word: it hears of it by an event. */
  async get<Value>(key: string): Promise<Value | undefined> {
    try {
      return await this.#space().get<Value>(storedKey(key).key);
    } catch (error) {
      if (this.listenerCount("error") > 0) this.emit("error", error);
      throw error;
    }
  }

  async getMany<Value>(keys: readonly string[]): Promise<(Value | undefined)[]> {
    const space = this.#space();
    const values: (Value | undefined)[] = [];
    for (const some of pieces(keys, DEFAULT_LIMITS.batchOperations))
      values.push(...(await space.getMany<Value>(some.map((key) => storedKey(key).key))));
    return values;
  }

  /** `ttl` in milliseconds, fractions allowed; undefined or 0 = for ever. */
  async set(key: string, value: unknown, ttl?: number): Promise<boolean> {
    const { key: stored, ...options } = entryOptions({ key, ttl });
    await this.#space().set(stored, value, options);
    return true;
  }

  /**
   * True for each entry that was stored; why others were not is emitted as "error", each reason
   * once, and so thrown where nobody listens.
   */
  async setMany(entries: readonly KeyvStoreEntry[]): Promise<boolean[]> {
    const operations = entries.map((entry): BatchOperation => ({
      type: "set",
      value: entry.value,
      ...entryOptions(entry),
    }));
    const failures = await runEach(this.#space(), operations);
    for (const reason of new Set(failures)) if (reason !== undefined) this.emit("error", reason);
    return failures.map((failure) => failure === undefined);
  }

  /** Whether it existed, decided by the authority. */
  async delete(key: string): Promise<boolean> {
    return (await this.#space().delete(storedKey(key).key)).existed;
  }

  /** Whether all of them existed, as Keyv says it over a store that deletes one by one. */
  async deleteMany(keys: readonly string[]): Promise<boolean> {
    const stored = [...new Set(keys)].map((key) => storedKey(key).key);
    const results = await runInBatches(
      this.#space(),
      stored.map((key) => ({ type: "delete", key })),
    );
    throwFirstFailure(results);
    return results.every((result) => result.existed === true);
  }

  async has(key: string): Promise<boolean> {
    return this.#space().exists(storedKey(key).key);
  }

  async hasMany(keys: readonly string[]): Promise<boolean[]> {
    const results = await runInBatches(
      this.#space(),
      keys.map((key) => ({ type: "exists", key: storedKey(key).key })),
    );
    throwFirstFailure(results);
    return results.map((result) => result.found);
  }

  /** Empties Keyv's current namespace, or what has none. */
  async clear(): Promise<void> {
    await this.#space().clear();
  }

  /** A page of the database at a time. */
  async *iterator<Value>(namespace?: string): AsyncGenerator<[string, Awaited<Value>], void> {
    for await (const line of this.#space(namespace ?? this.namespace).exportItems())
      // As with `get`, the caller says what it stored.
      yield [givenKey(line), line.value as Awaited<Value>];
  }

  /** Leaves the memory open: whoever opened it closes it. */
  async disconnect(): Promise<void> {}

  #space(namespace: string | undefined = this.namespace): Memory {
    if (namespace === undefined || namespace === "") return this.#base;
    return this.#base.namespace([storedSegment(namespace)]);
  }
}

/** Kept out of search: what Keyv stores is its own serialized text. */
function entryOptions(entry: Pick<KeyvStoreEntry, "key" | "ttl">): {
  key: string;
  index: false;
  embed: false;
  metadata?: { readonly [name: string]: string };
  ttlSeconds?: number;
} {
  const { ttl } = entry;
  return {
    ...storedKey(entry.key),
    index: false,
    embed: false,
    ...(ttl === undefined || ttl === 0 ? {} : { ttlSeconds: ttl / MS_PER_SECOND }),
  };
}
