import { mayHaveHappened } from "../coherence/copies.ts";
import type { DeleteReceipt, JsonValue, MemoryItem, Receipt } from "../model/item.ts";
import { checkKey, joinNamespace } from "../model/key.ts";
import { checkTtl, checkValue } from "../model/value.ts";
import type { Change, IdempotencyToken, Job } from "../tiers/authority.ts";
import { checkEphemeral } from "./ephemeral-path.ts";
import { explainItem } from "./explain.ts";
import { checkSelection } from "./forgetter.ts";
import {
  checkIdempotencyKey,
  checkPageLimit,
  checkPosition,
  checkRefs,
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
  LoadOptions,
  Memory,
  ReadOptions,
  SearchOptions,
  SearchPage,
  SessionMemory,
  SetOptions,
  TouchOptions,
  UpdateOptions,
} from "./memory.ts";
import {
  BATCH_OPTIONS,
  CHANGES_OPTIONS,
  CLEAR_OPTIONS,
  DELETE_OPTIONS,
  EXPORT_OPTIONS,
  FORGET_OPTIONS,
  LOAD_OPTIONS,
  PATCH_OPTIONS,
  READ_OPTIONS,
  SEARCH_OPTIONS,
  SET_OPTIONS,
  TOUCH_OPTIONS,
  UPDATE_OPTIONS,
  checkFunction,
  checkOptions,
  refuse,
} from "./options.ts";
import { loadOnce } from "./load-once.ts";
import { patchItem } from "./patch-item.ts";
import { presentItem } from "./present.ts";
import { updateItem } from "./read-modify-write.ts";
import { runSingly } from "./run-singly.ts";
import { clearFeedback } from "./recall/feedback.ts";
import type {
  Feedback,
  RecallAnswer,
  RecallOptions,
  RememberOptions,
  RememberReceipt,
} from "./recall/memories.ts";
import type { Runtime } from "./runtime.ts";
import { searchItems } from "./search-items.ts";
import { SessionView } from "./session-view.ts";
import { exportLines, importLines } from "./transfer.ts";
import { requestHash } from "./write-path.ts";

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
    } else {
      const { session, ...rest } = checkOptions(options, READ_OPTIONS);
      if (session !== undefined) return this.session(session).get<T>(key, rest);
    }
    const { read, core } = this.runtime.parts;
    const ref = { namespace: this.path, key: checkKey(key, core.config.limits) };
    const found = read.readValue(ref, options);
    // Awaited only where there is something to wait for.
    const value = found instanceof Promise ? await found : found;
    if (value !== undefined) core.accesses.record(ref);
    return value as T | undefined;
  }

  async getItem<T = JsonValue>(
    key: string,
    options?: ReadOptions,
  ): Promise<MemoryItem<T> | undefined> {
    const { read, core } = this.runtime.parts;
    const { session, ...rest } = checkOptions(options, READ_OPTIONS);
    if (session !== undefined) return this.session(session).getItem<T>(key, rest);
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
    const { session, ...rest } = checkOptions(options, READ_OPTIONS);
    if (session !== undefined) return this.session(session).getMany<T>(keys, rest);
    const { read, core } = parts;
    const refs = checkRefs(this.path, keys, core.config.limits);
    const values = await read.readValues(refs, options);
    core.accesses.recordAll(refs.filter((_, index) => values[index] !== undefined));
    return values as (T | undefined)[];
  }

  async set(key: string, value: unknown, options?: SetOptions): Promise<Receipt> {
    const checked = checkOptions(options, SET_OPTIONS);
    const { core, write, ephemeral } = this.runtime.parts;
    const set = checkSet(key, value, checked, core.config.limits);
    const { tierHint, idempotencyKey, durability, text, index, embed } = checked;
    if (durability === "ephemeral") {
      checkEphemeral(checked);
      return ephemeral.set(this.path, set);
    }
    const condition = await ephemeral.conditionBeside({ namespace: this.path, key: set.key }, set);
    const put = write.encodePut(this.path, { ...set, condition });
    return write.put(put, {
      ...(tierHint === undefined ? {} : { tierHint }),
      ...this.#idempotent(idempotencyKey, ["set", set, durability, tierHint, text, index, embed]),
    });
  }

  async delete(key: string, options?: DeleteOptions): Promise<DeleteReceipt> {
    const { ifVersion, idempotencyKey } = checkOptions(options, DELETE_OPTIONS);
    const { core, write, ephemeral } = this.runtime.parts;
    const ref = { namespace: this.path, key: checkKey(key, core.config.limits) };
    const condition = parseCondition(ifVersion);
    const identity = this.#idempotent(idempotencyKey, ["delete", ref, condition]);
    const vanished = await ephemeral.remove(ref, condition);
    if (typeof vanished !== "string") return vanished;
    const conditional = condition === undefined ? {} : { condition };
    const trace = vanished === "unknown" ? { leaveTrace: true } : {};
    return write.remove({ kind: "remove", ...ref, ...conditional, ...trace }, identity);
  }

  async exists(key: string, options?: ReadOptions): Promise<boolean> {
    const { read, core } = this.runtime.parts;
    const { session, ...rest } = checkOptions(options, READ_OPTIONS);
    if (session !== undefined) return this.session(session).exists(key, rest);
    const ref = { namespace: this.path, key: checkKey(key, core.config.limits) };
    return read.exists(ref, options);
  }

  async touch(key: string, options?: TouchOptions): Promise<Receipt> {
    const { ttlSeconds, ifVersion } = checkOptions(options, TOUCH_OPTIONS);
    const { core, write, ephemeral } = this.runtime.parts;
    const { limits } = core.config;
    const ref = { namespace: this.path, key: checkKey(key, limits) };
    if (ttlSeconds !== undefined) checkTtl(ttlSeconds, limits);
    const condition = parseCondition(ifVersion);
    const touched = await ephemeral.touch(ref, ttlSeconds, condition);
    if (touched !== undefined) return touched;
    const conditional = condition === undefined ? {} : { condition };
    return write.touch({ kind: "touch", ...ref, ttlSeconds, ...conditional });
  }

  async update<T = JsonValue>(
    key: string,
    fn: (current: T | undefined) => T | undefined | Promise<T | undefined>,
    options?: UpdateOptions,
  ): Promise<Receipt | undefined> {
    const checked = checkOptions(options, UPDATE_OPTIONS);
    checkFunction(fn, "fn");
    return updateItem(this.runtime.parts, this.path, { key, fn, options: checked });
  }

  async getOrSet<T = JsonValue>(
    key: string,
    loader: () => Promise<T> | T,
    options?: LoadOptions,
  ): Promise<T> {
    const hot = this.#hot(key);
    if (hot !== undefined) return hot as T;
    const checked = checkOptions(options, LOAD_OPTIONS);
    checkFunction(loader, "loader");
    const request = { namespace: this.path, key, loader, options: checked };
    return (await loadOnce(this.runtime.parts, request)) as T;
  }

  async compareAndSet(
    key: string,
    expected: string | null,
    value: unknown,
    options?: SetOptions,
  ): Promise<Receipt> {
    const checked = checkOptions(options, SET_OPTIONS);
    if (expected === undefined || expected === "*")
      refuse("expected", "a version or null", expected);
    return this.set(key, value, { ...checked, ifVersion: expected });
  }

  async mergePatch(
    key: string,
    patch: unknown,
    options?: { readonly ifVersion?: string; readonly idempotencyKey?: string },
  ): Promise<Receipt> {
    const { ifVersion, idempotencyKey } = checkOptions(options, PATCH_OPTIONS);
    const { parts, limits } = this.runtime;
    // Checked before it is hashed: hashing follows it to any depth.
    const checked = checkValue(patch, limits);
    return patchItem(parts, this.path, {
      key,
      patch: checked,
      condition: parseCondition(ifVersion),
      ...this.#idempotent(idempotencyKey, ["patch", key, checked, ifVersion]),
    });
  }

  async batchOperations(
    operations: readonly BatchOperation[],
    options?: BatchOptions,
  ): Promise<BatchResult[]> {
    const { session, ...checked } = checkOptions(options, BATCH_OPTIONS);
    if (session !== undefined) return this.session(session).batchOperations(operations, checked);
    return this.runtime.parts.batch.run(this.path, operations, {
      ...checked,
      singly: (operation) => runSingly(this, operation),
    });
  }

  async search(options?: SearchOptions): Promise<SearchPage> {
    const { session, ...checked } = checkOptions(options, SEARCH_OPTIONS);
    if (session !== undefined) return this.session(session).search(checked);
    return searchItems(this.runtime.parts, this.path, checked);
  }

  async remember(options: RememberOptions): Promise<RememberReceipt> {
    const parts = this.runtime.parts;
    return this.runtime.agents.remember(parts, this.path, options);
  }

  async recall(options: RecallOptions): Promise<RecallAnswer> {
    const parts = this.runtime.parts;
    return this.runtime.agents.recall(parts, this.path, options);
  }

  async feedback(feedback: Feedback): Promise<Receipt> {
    const parts = this.runtime.parts;
    return this.runtime.agents.feedback(parts, this.path, feedback);
  }

  async explain(key: string): Promise<Explanation> {
    const { core } = this.runtime.parts;
    return explainItem(core, { namespace: this.path, key: checkKey(key, core.config.limits) });
  }

  async forget(options: ForgetOptions): Promise<ForgetReceipt> {
    const checked = checkOptions(options, FORGET_OPTIONS);
    const { core, embedding, forgetter } = this.runtime.parts;
    const selection = checkSelection(this.path, checked, core);
    const receipt = await forgetter.forget(selection, checked);
    if (!receipt.dryRun) this.runtime.agents.forget();
    // All that is cached for the namespaces: nobody knows the texts of older versions of what is gone.
    if (!receipt.dryRun) await embedding.cache?.forget(selection.namespace, selection.below);
    return receipt;
  }

  async forgetJob(id: string): Promise<Job | undefined> {
    const job = await this.runtime.parts.core.authority.readJob(id);
    return job?.namespace === this.path ? job : undefined;
  }

  async clear(options?: { readonly below?: boolean }): Promise<{ readonly version: string }> {
    const { below = false } = checkOptions(options, CLEAR_OPTIONS);
    const { core, embedding } = this.runtime.parts;
    const { authority, copies, ephemeral, shared } = core;
    this.runtime.agents.forget();
    // First: when it fails, surely nothing was cleared.
    await embedding.cache?.clear(this.path, below);
    // What was asked about is gone.
    await clearFeedback(core, this.path, below);
    // In the shared tier they end by the version of the clear, as copies do.
    ephemeral?.removeWhere({ namespace: this.path, below, pattern: undefined });
    try {
      const { version } = await authority.clear(this.path, below);
      copies.invalidateNamespace(this.path, below);
      void shared?.announceClear({ namespace: this.path, below, version });
      return { version: String(version) };
    } catch (error) {
      // Unless it surely did not happen, nobody may know whether it did.
      if (mayHaveHappened(error)) copies.invalidateNamespace(this.path, below);
      throw error;
    }
  }

  async *exportItems(options?: ExportOptions): AsyncGenerator<ExportLine> {
    const checked = checkOptions(options, EXPORT_OPTIONS);
    if (checked.after !== undefined) checkKey(checked.after, this.runtime.limits);
    yield* exportLines(this.runtime.parts, this.path, checked);
  }

  async importItems(lines: AsyncIterable<unknown> | Iterable<unknown>): Promise<ImportReceipt> {
    if (!isIterable(lines)) refuse("lines", "something to iterate over", lines);
    return importLines(this.runtime.parts, this.path, lines);
  }

  async changes(options?: {
    readonly after?: string;
    readonly below?: boolean;
    readonly limit?: number;
  }): Promise<{ readonly changes: readonly Change[]; readonly position: string }> {
    const { after, below = false, limit } = checkOptions(options, CHANGES_OPTIONS);
    const page = await this.runtime.parts.core.authority.readChanges({
      namespace: this.path,
      below,
      after: checkPosition(after),
      limit: checkPageLimit(limit, this.runtime.limits),
    });
    return { changes: page.changes, position: String(page.position) };
  }

  async changePosition(): Promise<string> {
    return String(await this.runtime.parts.core.authority.changePosition());
  }

  async willNeed(keys: readonly string[]): Promise<void> {
    const parts = this.runtime.parts;
    await parts.read.readSettled(checkRefs(this.path, keys, parts.core.config.limits));
  }

  namespace(path: string | readonly string[]): Memory {
    return new ScopedMemory(this.runtime, joinNamespace(this.path, path, this.runtime.limits));
  }

  session(token?: string): SessionMemory {
    return new SessionView(this.runtime, this, this.runtime.parts.core.sessions.open(token));
  }

  #hot(key: string): JsonValue | undefined {
    const parts = this.runtime.live;
    const hot = parts?.read.hot(this.path, key);
    if (hot === undefined) return undefined;
    parts?.core.accesses.recordHot(hot);
    return hot.value;
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
}

function isIterable(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  return Symbol.asyncIterator in value || Symbol.iterator in value;
}
