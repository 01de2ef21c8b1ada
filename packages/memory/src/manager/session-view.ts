import type { Demand, Session } from "../coherence/session.ts";
import { VersionConflict, isMemoryError } from "../model/errors.ts";
import type { DeleteReceipt, ItemRef, JsonValue, MemoryItem, Receipt } from "../model/item.ts";
import { checkKey } from "../model/key.ts";
import type { Change, Job } from "../tiers/authority.ts";
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
  RawItem,
  ReadOptions,
  SearchOptions,
  SearchPage,
  SessionMemory,
  SetOptions,
  TouchOptions,
  LoadOptions,
  UpdateOptions,
} from "./memory.ts";
import {
  SESSION_BATCH_OPTIONS,
  SESSION_READ_OPTIONS,
  SESSION_SEARCH_OPTIONS,
  checkOptions,
} from "./options.ts";
import { checkRefs } from "./inputs.ts";
import type { PathOptions } from "./path-options.ts";
import { presentItem, readRaw } from "./present.ts";
import type { ServedObject } from "./read-path.ts";
import { runSingly } from "./run-singly.ts";
import type {
  Feedback,
  RecallAnswer,
  RecallOptions,
  RememberOptions,
  RememberReceipt,
} from "./recall/memories.ts";
import type { Parts, Runtime } from "./runtime.ts";
import { versionsSeen } from "./session-batch.ts";

type SessionReadOptions = Omit<ReadOptions, "session">;

/** What a read must keep to, and from when on what it shows may take the place of an absence. */
interface Keeping {
  readonly options: PathOptions;
  readonly since: number;
}

/** The operations on one namespace for one session: each keeps to what was seen, and is remembered. */
export class SessionView implements SessionMemory {
  readonly path: string;
  readonly #runtime: Runtime;
  readonly #session: Session;
  /** The same namespace without the session. */
  readonly #plain: Memory;

  constructor(runtime: Runtime, plain: Memory, session: Session) {
    this.path = plain.path;
    this.#runtime = runtime;
    this.#plain = plain;
    this.#session = session;
  }

  get token(): string {
    return this.#session.token;
  }

  async get<T = JsonValue>(key: string, options?: SessionReadOptions): Promise<T | undefined> {
    const served = await this.#read(key, options);
    if (served === undefined) return undefined;
    this.#runtime.live?.core.accesses.record(served.record);
    return served.record.value as T;
  }

  async getItem<T = JsonValue>(
    key: string,
    options?: SessionReadOptions,
  ): Promise<MemoryItem<T> | undefined> {
    const { core } = this.#runtime.parts;
    const served = await this.#read(key, options);
    return served && (presentItem(core, served) as MemoryItem<T>);
  }

  getRaw(key: string, options?: SessionReadOptions): RawItem | Promise<RawItem | undefined> {
    const parts = this.#runtime.parts;
    const checked = checkOptions(options, SESSION_READ_OPTIONS);
    const ref = this.#ref(parts, key);
    const keeping = this.#keeping(checked);
    if (keeping instanceof Promise) return keeping.then((kept) => this.#raw(parts, ref, kept));
    return this.#raw(parts, ref, keeping);
  }

  peek<T = JsonValue>(key: string): T | undefined {
    const read = this.#runtime.live?.read;
    const keeping = this.#keeping({});
    // What has to be waited for is not at hand.
    if (read === undefined || keeping instanceof Promise) return undefined;
    const ref = { namespace: this.path, key };
    const served = read.atHand(ref, keeping.options);
    if (served === undefined) return undefined;
    this.#session.sawRead(ref, served.record.version, keeping.since);
    void this.#session.settle();
    return served.record.value as T;
  }

  async getMany<T = JsonValue>(
    keys: readonly string[],
    options?: SessionReadOptions,
  ): Promise<(T | undefined)[]> {
    const parts = this.#runtime.parts;
    const checked = checkOptions(options, SESSION_READ_OPTIONS);
    const { read, core } = parts;
    const refs = checkRefs(this.path, keys, core.config.limits);
    const { options: kept, since } = await this.#keeping(checked);
    const served = await read.readMany(refs, kept);
    for (const [index, ref] of refs.entries()) {
      const record = served[index]?.record;
      if (record !== undefined) core.accesses.record(record);
      this.#session.sawRead(ref, record?.version, since);
    }
    await this.#session.settle();
    return served.map((one) => one?.record.value as T | undefined);
  }

  async exists(key: string, options?: SessionReadOptions): Promise<boolean> {
    const parts = this.#runtime.parts;
    const checked = checkOptions(options, SESSION_READ_OPTIONS);
    const ref = this.#ref(parts, key);
    const { options: kept, since } = await this.#keeping(checked);
    const version = await parts.read.readEncoded(ref, kept, ({ record }) => record.version);
    this.#session.sawRead(ref, version, since);
    await this.#session.settle();
    return version !== undefined;
  }

  set(key: string, value: unknown, options?: SetOptions): Promise<Receipt> {
    return this.#write(key, () => this.#plain.set(key, value, options));
  }

  delete(key: string, options?: DeleteOptions): Promise<DeleteReceipt> {
    return this.#write(key, () => this.#plain.delete(key, options));
  }

  touch(key: string, options?: TouchOptions): Promise<Receipt> {
    return this.#write(key, () => this.#plain.touch(key, options));
  }

  update<T = JsonValue>(
    key: string,
    fn: (current: T | undefined) => T | undefined | Promise<T | undefined>,
    options?: UpdateOptions,
  ): Promise<Receipt | undefined> {
    return this.#write(key, () => this.#plain.update(key, fn, options));
  }

  async getOrSet<T = JsonValue>(
    key: string,
    loader: () => Promise<T> | T,
    options?: LoadOptions,
  ): Promise<T> {
    const found = await this.get<T>(key);
    if (found !== undefined) return found;
    const since = this.#session.begin();
    const value = await this.#plain.getOrSet(key, loader, options);
    // Which version it is may be known to another caller only, who ran the loader for both.
    this.#session.saw(this.#ref(this.#runtime.parts, key), undefined, since);
    await this.#session.settle();
    return value;
  }

  compareAndSet(
    key: string,
    expected: string | null,
    value: unknown,
    options?: SetOptions,
  ): Promise<Receipt> {
    return this.#write(key, () => this.#plain.compareAndSet(key, expected, value, options));
  }

  mergePatch(
    key: string,
    patch: unknown,
    options?: { readonly ifVersion?: string; readonly idempotencyKey?: string },
  ): Promise<Receipt> {
    return this.#write(key, () => this.#plain.mergePatch(key, patch, options));
  }

  async batchOperations(
    operations: readonly BatchOperation[],
    options?: Omit<BatchOptions, "session">,
  ): Promise<BatchResult[]> {
    const checked = checkOptions(options, SESSION_BATCH_OPTIONS);
    const { batch } = this.#runtime.parts;
    const { options: kept, since } = await this.#keeping(checked);
    const results = await batch.run(this.path, operations, {
      ...checked,
      ...kept,
      singly: (operation) => runSingly(this.#plain, operation),
    });
    for (const { key, version, isRead } of versionsSeen(results)) {
      const ref = { namespace: this.path, key };
      if (isRead) this.#session.sawRead(ref, version, since);
      else this.#session.saw(ref, version, since);
    }
    await this.#session.settle();
    return results;
  }

  async search(options?: Omit<SearchOptions, "session">): Promise<SearchPage> {
    const checked = checkOptions(options, SESSION_SEARCH_OPTIONS);
    const since = this.#session.begin();
    const page = await this.#plain.search(checked);
    for (const item of page.items) this.#session.saw(item, Number(item.version), since);
    await this.#session.settle();
    return page;
  }

  async remember(options: RememberOptions): Promise<RememberReceipt> {
    const since = this.#session.begin();
    const receipt = await this.#plain.remember(options);
    this.#session.saw({ namespace: this.path, key: receipt.key }, Number(receipt.version), since);
    // Others were changed with it, whose versions it does not tell.
    if (options.supersedes !== undefined) await this.#session.sawMuch();
    await this.#session.settle();
    return receipt;
  }

  async recall(options: RecallOptions): Promise<RecallAnswer> {
    const since = this.#session.begin();
    const answer = await this.#plain.recall(options);
    for (const { id, version } of answer.items)
      this.#session.saw({ namespace: this.path, key: id }, Number(version), since);
    await this.#session.settle();
    return answer;
  }

  feedback(feedback: Feedback): Promise<Receipt> {
    return this.#plain.feedback(feedback);
  }

  explain(key: string): Promise<Explanation> {
    return this.#plain.explain(key);
  }

  forget(options: ForgetOptions): Promise<ForgetReceipt> {
    return this.#change(() => this.#plain.forget(options));
  }

  forgetJob(id: string): Promise<Job | undefined> {
    return this.#plain.forgetJob(id);
  }

  clear(options?: { readonly below?: boolean }): Promise<{ readonly version: string }> {
    return this.#change(() => this.#plain.clear(options));
  }

  exportItems(options?: ExportOptions): AsyncIterable<ExportLine> {
    return this.#plain.exportItems(options);
  }

  importItems(lines: AsyncIterable<unknown> | Iterable<unknown>): Promise<ImportReceipt> {
    return this.#change(() => this.#plain.importItems(lines));
  }

  changes(options?: {
    readonly after?: string;
    readonly below?: boolean;
    readonly limit?: number;
  }): Promise<{ readonly changes: readonly Change[]; readonly position: string }> {
    return this.#plain.changes(options);
  }

  changePosition(): Promise<string> {
    return this.#plain.changePosition();
  }

  willNeed(keys: readonly string[]): Promise<void> {
    return this.#plain.willNeed(keys);
  }

  namespace(path: string | readonly string[]): SessionMemory {
    return new SessionView(this.#runtime, this.#plain.namespace(path), this.#session);
  }

  session(token?: string): SessionMemory {
    return this.#plain.session(token);
  }

  /** What this read keeps to. At once where this server knows enough. */
  #keeping(options: SessionReadOptions): Keeping | Promise<Keeping> {
    // Asked before the demand: what is seen while it is made out came after it.
    const since = this.#session.begin();
    if (options.consistency === "any") return { options, since: -1 };
    if (options.consistency === "latest") return { options, since };
    const demand = this.#session.demand();
    const keep = (kept: Demand): Keeping => ({ options: { ...options, demand: kept }, since });
    return demand instanceof Promise ? demand.then(keep) : keep(demand);
  }

  async #read(
    key: string,
    options: SessionReadOptions | undefined,
  ): Promise<ServedObject | undefined> {
    const parts = this.#runtime.parts;
    const checked = checkOptions(options, SESSION_READ_OPTIONS);
    const ref = this.#ref(parts, key);
    const { options: kept, since } = await this.#keeping(checked);
    const served = await parts.read.readObject(ref, kept);
    this.#session.sawRead(ref, served?.record.version, since);
    await this.#session.settle();
    return served;
  }

  #raw(
    parts: Parts,
    ref: ItemRef,
    { options, since }: Keeping,
  ): RawItem | Promise<RawItem | undefined> {
    const seen = <T extends RawItem | undefined>(item: T): T | Promise<T> => {
      this.#session.sawRead(ref, item === undefined ? undefined : Number(item.version), since);
      const settling = this.#session.settle();
      return settling === undefined ? item : settling.then(() => item);
    };
    const found = readRaw(parts, ref, options);
    return found instanceof Promise ? found.then(seen) : seen(found);
  }

  /** A write of one item. What a failed condition tells of it was seen too. */
  async #write<R extends { readonly version: string } | undefined>(
    key: string,
    work: () => Promise<R>,
  ): Promise<R> {
    const since = this.#session.begin();
    const saw = (version: string | undefined): void => {
      const seen = version === undefined ? undefined : Number(version);
      this.#session.saw({ namespace: this.path, key }, seen, since);
    };
    try {
      const receipt = await work();
      saw(receipt?.version);
      return receipt;
    } catch (error) {
      if (error instanceof VersionConflict) saw(error.current?.version);
      if (isMemoryError(error) && error.code === "NOT_FOUND") saw(undefined);
      throw error;
    } finally {
      await this.#session.settle();
    }
  }

  /** A change of so many items that all of it goes into the floor. */
  async #change<R>(work: () => Promise<R>): Promise<R> {
    const result = await work();
    await this.#session.sawMuch();
    return result;
  }

  #ref({ core }: Parts, key: string): ItemRef {
    return { namespace: this.path, key: checkKey(key, core.config.limits) };
  }
}
