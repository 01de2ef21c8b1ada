import { MemoryError } from "../model/errors.ts";
import type { DeleteReceipt, JsonValue, MemoryItem, Receipt } from "../model/item.ts";
import { checkKey, joinNamespace } from "../model/key.ts";
import { checkTtl } from "../model/value.ts";
import type { Change, IdempotencyToken, Job } from "../tiers/authority.ts";
import { failure } from "./batch-answers.ts";
import type { Answer } from "./batch-answers.ts";
import { checkEphemeral } from "./ephemeral-path.ts";
import { explainItem } from "./explain.ts";
import { checkSelection } from "./forgetter.ts";
import {
  checkConsistency,
  checkIdempotencyKey,
  checkPosition,
  checkSet,
  parseCondition,
} from "./inputs.ts";
import type {
  BatchOperation,
  BatchOptions,
  BatchResult,
  DeleteOptions,
  Explanation,
  ExportLine,
  ExportOptions,
  ForgetOptions,
  ForgetReceipt,
  ImportReceipt,
  Memory,
  ReadOptions,
  SearchOptions,
  SearchPage,
  SetOptions,
  TouchOptions,
} from "./memory.ts";
import { patchItem } from "./patch-item.ts";
import { presentItem } from "./present.ts";
import { loadOnce, updateItem } from "./read-modify-write.ts";
import type { Parts, Runtime } from "./runtime.ts";
import { searchItems } from "./search-items.ts";
import { exportLines, importLines } from "./transfer.ts";
import { requestHash } from "./write-path.ts";

const CHANGES_DEFAULT = 500;

/** The operations on one namespace: checks what comes in and hands it to the paths. */
export class ScopedMemory implements Memory {
  readonly path: string;
  protected readonly runtime: Runtime;

  constructor(runtime: Runtime, path: string) {
    this.runtime = runtime;
    this.path = path;
  }

  async get<T = JsonValue>(key: string, options?: ReadOptions): Promise<T | undefined> {
    if (options === undefined) {
      const hot = this.#hot(key);
      if (hot !== undefined) return hot as T;
    }
    const { read, core } = this.runtime.parts;
    checkConsistency(options);
    const ref = { namespace: this.path, key: checkKey(key, core.config.limits) };
    const served = read.atHand(ref, options) ?? (await read.readObject(ref, options));
    if (served === undefined) return undefined;
    core.accesses.record(ref);
    return served.record.value as T;
  }

  async getItem<T = JsonValue>(
    key: string,
    options?: ReadOptions,
  ): Promise<MemoryItem<T> | undefined> {
    const { read, core } = this.runtime.parts;
    checkConsistency(options);
    const ref = { namespace: this.path, key: checkKey(key, core.config.limits) };
    const served = await read.readObject(ref, options);
    return served && (presentItem(core, served) as MemoryItem<T>);
  }

  peek<T = JsonValue>(key: string): T | undefined {
    const hot = this.#hot(key);
    if (hot !== undefined) return hot as T;
    return this.runtime.live?.read.peek(this.path, key) as T | undefined;
  }

  async getMany<T = JsonValue>(
    keys: readonly string[],
    options?: ReadOptions,
  ): Promise<(T | undefined)[]> {
    const parts = this.runtime.parts;
    checkConsistency(options);
    const served = await parts.read.readMany(this.#refs(parts, keys), options);
    for (const one of served) if (one !== undefined) parts.core.accesses.record(one.record);
    return served.map((one) => one?.record.value as T | undefined);
  }

  async set(key: string, value: unknown, options: SetOptions = {}): Promise<Receipt> {
    const { core, write, ephemeral } = this.runtime.parts;
    const set = checkSet(key, value, options, core.config.limits);
    if (options.durability === "ephemeral") {
      checkEphemeral(options);
      return ephemeral.set(this.path, set);
    }
    const put = write.encodePut(this.path, set);
    const { tierHint, idempotencyKey } = options;
    return write.put(put, {
      ...(tierHint === undefined ? {} : { tierHint }),
      ...this.#idempotent(idempotencyKey, ["set", set, options.durability ?? "durable"]),
    });
  }

  async delete(key: string, options: DeleteOptions = {}): Promise<DeleteReceipt> {
    const { core, write, ephemeral } = this.runtime.parts;
    const ref = { namespace: this.path, key: checkKey(key, core.config.limits) };
    const condition = parseCondition(options.ifVersion);
    const vanished = ephemeral.remove(ref, condition);
    if (vanished !== undefined) return vanished;
    return write.remove(
      { kind: "remove", ...ref, ...(condition === undefined ? {} : { condition }) },
      this.#idempotent(options.idempotencyKey, ["delete", ref, condition]),
    );
  }

  async exists(key: string, options?: ReadOptions): Promise<boolean> {
    const { read, core } = this.runtime.parts;
    checkConsistency(options);
    const ref = { namespace: this.path, key: checkKey(key, core.config.limits) };
    return read.exists(ref, options);
  }

  async touch(key: string, options: TouchOptions = {}): Promise<Receipt> {
    const { core, write, ephemeral } = this.runtime.parts;
    const { limits } = core.config;
    const ref = { namespace: this.path, key: checkKey(key, limits) };
    const ttlSeconds =
      options.ttlSeconds === undefined ? undefined : checkTtl(options.ttlSeconds, limits);
    const condition = parseCondition(options.ifVersion);
    const touched = ephemeral.touch(ref, ttlSeconds, condition);
    if (touched !== undefined) return touched;
    const conditional = condition === undefined ? {} : { condition };
    return write.touch({ kind: "touch", ...ref, ttlSeconds, ...conditional });
  }

  update<T = JsonValue>(
    key: string,
    fn: (current: T | undefined) => T | undefined | Promise<T | undefined>,
    options: SetOptions = {},
  ): Promise<Receipt | undefined> {
    return updateItem(this, this.runtime.parts.core, { key, fn, options });
  }

  async getOrSet<T = JsonValue>(
    key: string,
    loader: () => Promise<T> | T,
    options: SetOptions = {},
  ): Promise<T> {
    const hot = this.#hot(key);
    if (hot !== undefined) return hot as T;
    return loadOnce(this, this.runtime.parts.core, { key, loader, options });
  }

  compareAndSet(
    key: string,
    expected: string | null,
    value: unknown,
    options: SetOptions = {},
  ): Promise<Receipt> {
    return this.set(key, value, { ...options, ifVersion: expected });
  }

  async mergePatch(
    key: string,
    patch: unknown,
    options: { readonly ifVersion?: string; readonly idempotencyKey?: string } = {},
  ): Promise<Receipt> {
    const { ifVersion, idempotencyKey } = options;
    const identity = this.#idempotent(idempotencyKey, ["patch", key, patch, ifVersion]);
    return patchItem(this.runtime.parts, this.path, {
      key,
      patch,
      condition: parseCondition(ifVersion),
      ...identity,
    });
  }

  async batchOperations(
    operations: readonly BatchOperation[],
    options: BatchOptions = {},
  ): Promise<BatchResult[]> {
    return this.runtime.parts.batch.run(this.path, operations, {
      ...options,
      singly: (operation) => this.#runSingly(operation),
    });
  }

  async search(options: SearchOptions): Promise<SearchPage> {
    return searchItems(this.runtime.parts, this.path, options);
  }

  async explain(key: string): Promise<Explanation> {
    const { core } = this.runtime.parts;
    return explainItem(core, { namespace: this.path, key: checkKey(key, core.config.limits) });
  }

  async forget(options: ForgetOptions): Promise<ForgetReceipt> {
    const { core, forgetter } = this.runtime.parts;
    return forgetter.forget(checkSelection(this.path, options, core), options);
  }

  async forgetJob(id: string): Promise<Job | undefined> {
    const job = await this.runtime.parts.core.authority.readJob(id);
    return job?.namespace === this.path ? job : undefined;
  }

  async clear(options: { readonly below?: boolean } = {}): Promise<{ readonly version: string }> {
    const { authority, copies, ephemeral } = this.runtime.parts.core;
    const below = options.below ?? false;
    ephemeral?.removeWhere({ namespace: this.path, below, pattern: undefined });
    try {
      const { version } = await authority.clear(this.path, below);
      return { version: String(version) };
    } finally {
      // Also after a failure: nobody may know whether it happened.
      copies.invalidateNamespace(this.path, below);
    }
  }

  async *exportItems(options: ExportOptions = {}): AsyncGenerator<ExportLine> {
    yield* exportLines(this.runtime.parts, this.path, options);
  }

  async importItems(lines: AsyncIterable<unknown> | Iterable<unknown>): Promise<ImportReceipt> {
    return importLines(this.runtime.parts, this.path, lines);
  }

  async changes(options: {
    readonly after?: string;
    readonly below?: boolean;
    readonly limit?: number;
  }): Promise<{ readonly changes: readonly Change[]; readonly position: string }> {
    const page = await this.runtime.parts.core.authority.readChanges({
      namespace: this.path,
      below: options.below ?? false,
      after: checkPosition(options.after),
      limit: options.limit ?? CHANGES_DEFAULT,
    });
    return { changes: page.changes, position: String(page.position) };
  }

  async changePosition(): Promise<string> {
    return String(await this.runtime.parts.core.authority.changePosition());
  }

  async willNeed(keys: readonly string[]): Promise<void> {
    const parts = this.runtime.parts;
    await parts.read.readSettled(this.#refs(parts, keys));
  }

  namespace(path: string | readonly string[]): Memory {
    return new ScopedMemory(this.runtime, joinNamespace(this.path, path, this.runtime.limits));
  }

  #hot(key: string): JsonValue | undefined {
    const parts = this.runtime.live;
    const hot = parts?.read.hot(this.path, key);
    if (hot === undefined) return undefined;
    parts?.core.accesses.recordHot(hot);
    return hot.value;
  }

  #refs(parts: Parts, keys: readonly string[]): { namespace: string; key: string }[] {
    const { limits } = parts.core.config;
    if (Array.isArray(keys) && keys.length <= limits.batchOperations)
      return keys.map((key: string) => ({ namespace: this.path, key: checkKey(key, limits) }));
    throw new MemoryError(
      "BATCH_TOO_LARGE",
      `keys: expected a list of at most ${limits.batchOperations}`,
      { field: "keys" },
    );
  }

  #idempotent(
    id: string | undefined,
    request: readonly unknown[],
  ): { readonly idempotency?: IdempotencyToken } {
    if (id === undefined) return {};
    return {
      idempotency: {
        namespace: this.path,
        id: checkIdempotencyKey(id),
        requestHash: requestHash(request),
      },
    };
  }

  async #runSingly(operation: BatchOperation): Promise<Answer> {
    const { authority } = this.runtime.parts.core;
    try {
      switch (operation.type) {
        case "get":
        case "exists": {
          const item = await this.getItem(operation.key);
          if (item === undefined) return { success: true, found: false, tierAccessed: null };
          const value = operation.type === "get" ? item.value : true;
          const { version, tier } = item;
          return { success: true, found: true, value, version, tierAccessed: tier };
        }
        case "delete": {
          const { version, existed } = await this.delete(operation.key, operation);
          return { success: true, found: existed, existed, version, tierAccessed: authority.name };
        }
        case "set":
        case "touch": {
          const { version } =
            operation.type === "set"
              ? await this.set(operation.key, operation.value, operation)
              : await this.touch(operation.key, operation);
          return { success: true, found: true, version, tierAccessed: authority.name };
        }
      }
    } catch (error) {
      return failure(error);
    }
  }
}
