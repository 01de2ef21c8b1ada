import type { Clock } from "../model/clock.ts";
import { BatchAborted, MemoryError, VersionConflict } from "../model/errors.ts";
import type { MetadataFilter } from "../model/filter.ts";
import type { JsonObject, JsonValue } from "../model/item.ts";
import { referenceFilter } from "./reference-filter.ts";
import { referenceGlob } from "./reference-glob.ts";

const MS_PER_SECOND = 1000;

/** An item as the model knows it. */
export interface ModelItem {
  readonly namespace: string;
  readonly key: string;
  readonly value: JsonValue;
  readonly metadata: JsonObject;
  readonly tags: readonly string[];
  readonly version: number;
  readonly expiresAtMs: number;
}

/** undefined = no condition; null = only if absent; "*" = only if present. */
export type ModelCondition = number | null | "*" | undefined;

export interface ModelSetOptions {
  readonly ttlSeconds?: number;
  readonly metadata?: JsonObject;
  readonly tags?: readonly string[];
  readonly condition?: ModelCondition;
}

export interface ModelSelection {
  readonly below?: boolean;
  readonly keys?: readonly string[];
  readonly pattern?: string;
  readonly metadataFilter?: MetadataFilter;
  readonly tags?: readonly string[];
}

export type ModelOperation =
  | ({ readonly type: "set"; readonly key: string; readonly value: JsonValue } & ModelSetOptions)
  | { readonly type: "get" | "exists"; readonly key: string }
  | { readonly type: "delete"; readonly key: string; readonly condition?: ModelCondition }
  | {
      readonly type: "touch";
      readonly key: string;
      readonly ttlSeconds?: number;
      readonly condition?: ModelCondition;
    };

export type ModelResult =
  | { readonly found: boolean; readonly value?: JsonValue; readonly version?: number }
  | { readonly error: MemoryError };

/**
 * What the durable items of a memory must look like from outside, written for being obviously right
 * rather than fast: one map, no copies, no I/O. Property tests run it beside the real thing.
 * Its versions are its own counter: compare their order within a key, not the numbers.
 */
export class ReferenceModel {
  readonly #clock: Clock;
  #items = new Map<string, ModelItem>();
  #lastVersion = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get(namespace: string, key: string): ModelItem | undefined {
    const item = this.#items.get(idOf(namespace, key));
    return item === undefined || item.expiresAtMs <= this.#clock.wallMs() ? undefined : item;
  }

  set(namespace: string, key: string, value: JsonValue, options: ModelSetOptions = {}): number {
    this.#require(namespace, key, options.condition);
    const version = this.#nextVersion();
    this.#items.set(idOf(namespace, key), {
      namespace,
      key,
      value,
      metadata: options.metadata ?? {},
      tags: [...new Set(options.tags)],
      version,
      expiresAtMs: this.#expiry(options.ttlSeconds),
    });
    return version;
  }

  /** A new value; metadata, tags and the time of expiry stay. */
  update(namespace: string, key: string, value: JsonValue): number {
    const { metadata, tags, expiresAtMs } = this.get(namespace, key) ?? {
      metadata: {},
      tags: [],
      expiresAtMs: this.#expiry(undefined),
    };
    const version = this.set(namespace, key, value, { metadata, tags });
    const item = { namespace, key, value, metadata, tags, version, expiresAtMs };
    this.#items.set(idOf(namespace, key), item);
    return version;
  }

  delete(
    namespace: string,
    key: string,
    condition?: ModelCondition,
  ): { readonly existed: boolean; readonly version: number } {
    this.#require(namespace, key, condition);
    const existed = this.get(namespace, key) !== undefined;
    this.#items.delete(idOf(namespace, key));
    return { existed, version: this.#nextVersion() };
  }

  /** Throws NOT_FOUND when there is no live item. */
  touch(namespace: string, key: string, ttlSeconds?: number, condition?: ModelCondition): number {
    this.#require(namespace, key, condition);
    const item = this.get(namespace, key);
    if (item === undefined) throw new MemoryError("NOT_FOUND", `item ${key} does not exist`);
    const version = this.#nextVersion();
    const touched = { ...item, version, expiresAtMs: this.#expiry(ttlSeconds) };
    this.#items.set(idOf(namespace, key), touched);
    return version;
  }

  /** In order; with `atomic` all or nothing, the first failure thrown as BatchAborted. */
  batch(
    namespace: string,
    operations: readonly ModelOperation[],
    options: { readonly atomic: boolean },
  ): ModelResult[] {
    const before = new Map(this.#items);
    return operations.map((operation, index) => {
      try {
        return this.#apply(namespace, operation);
      } catch (error) {
        if (!(error instanceof MemoryError)) throw error;
        if (!options.atomic) return { error };
        this.#items = before;
        throw new BatchAborted(index, error);
      }
    });
  }

  clear(namespace: string, below: boolean): void {
    for (const item of this.items(namespace, below))
      this.#items.delete(idOf(item.namespace, item.key));
  }

  /** Live items that match everything in the selection, in byte order of (namespace, key). */
  select(namespace: string, selection: ModelSelection): ModelItem[] {
    const { keys, pattern, metadataFilter, tags } = selection;
    return this.items(namespace, selection.below ?? false).filter(
      (item) =>
        (keys === undefined || (keys.includes(item.key) && item.namespace === namespace)) &&
        (pattern === undefined || referenceGlob(pattern, item.key)) &&
        (metadataFilter === undefined || referenceFilter(metadataFilter, item.metadata)) &&
        (tags ?? []).every((tag) => item.tags.includes(tag)),
    );
  }

  forget(namespace: string, selection: ModelSelection): number {
    const chosen = this.select(namespace, selection);
    for (const item of chosen) this.#items.delete(idOf(item.namespace, item.key));
    return chosen.length;
  }

  /** All live items of exactly this namespace, or also of all below it, in byte order. */
  items(namespace: string, below: boolean): ModelItem[] {
    return [...this.#items.values()]
      .filter((item) => this.get(item.namespace, item.key) !== undefined)
      .filter((item) => isIn(item.namespace, namespace, below))
      .toSorted((a, b) => compareBytes(a.namespace, b.namespace) || compareBytes(a.key, b.key));
  }

  #apply(namespace: string, operation: ModelOperation): ModelResult {
    const { key } = operation;
    if (operation.type === "set")
      return { found: true, version: this.set(namespace, key, operation.value, operation) };
    if (operation.type === "delete") {
      const { existed, version } = this.delete(namespace, key, operation.condition);
      return { found: existed, version };
    }
    if (operation.type === "touch") {
      const { ttlSeconds, condition } = operation;
      return { found: true, version: this.touch(namespace, key, ttlSeconds, condition) };
    }
    const item = this.get(namespace, key);
    if (item === undefined) return { found: false };
    return { found: true, value: item.value, version: item.version };
  }

  #require(namespace: string, key: string, condition: ModelCondition): void {
    if (condition === undefined) return;
    const current = this.get(namespace, key);
    const holds =
      condition === null
        ? current === undefined
        : current !== undefined && (condition === "*" || current.version === condition);
    if (holds) return;
    const state = current === undefined ? null : { version: String(current.version) };
    throw new VersionConflict(key, String(condition), state);
  }

  #nextVersion(): number {
    this.#lastVersion += 1;
    return this.#lastVersion;
  }

  #expiry(ttlSeconds: number | undefined): number {
    if (ttlSeconds === undefined) return Number.POSITIVE_INFINITY;
    return this.#clock.wallMs() + ttlSeconds * MS_PER_SECOND;
  }
}

/** The order of the database: by UTF-8 bytes. */
export function compareBytes(left: string, right: string): number {
  return Buffer.compare(Buffer.from(left), Buffer.from(right));
}

function idOf(namespace: string, key: string): string {
  return JSON.stringify([namespace, key]);
}

function isIn(namespace: string, base: string, below: boolean): boolean {
  if (namespace === base) return true;
  return below && (base === "" || namespace.startsWith(`${base}/`));
}
