import type { FillToken } from "../coherence/fill-guard.ts";
import type { ItemRecord, ItemRef, JsonValue, MemoryTier, ObjectRecord } from "../model/item.ts";
import { deepFreeze } from "../model/value.ts";
import { assertReady } from "./core.ts";
import type { Core, Served } from "./core.ts";
import type { ReadOptions } from "./memory.ts";

/** An item with its decoded value and the tier that gave it. */
export interface ServedObject {
  readonly tier: MemoryTier;
  readonly record: ObjectRecord;
  /** Unknown (undefined) when it came from a tier of decoded objects. */
  readonly encoded: ItemRecord | undefined;
}

/** Reads: nearest valid copy first, then the authority; copies move up as they are used. */
export class ReadPath {
  readonly #core: Core;

  constructor(core: Core) {
    this.#core = core;
  }

  /** The decoded copy, if it may be served now. The hot path. */
  hot(namespace: string, key: string): ObjectRecord | undefined {
    const { copies, validity } = this.#core;
    if (copies.objects === undefined || !validity.holds()) return undefined;
    return copies.objects.find(namespace, key);
  }

  /** What is at hand without waiting; undefined = not at hand. */
  peek(namespace: string, key: string): JsonValue | undefined {
    const hot = this.hot(namespace, key);
    if (hot !== undefined) return hot.value;
    const { copies, validity, ephemeral } = this.#core;
    const record =
      (validity.holds() ? copies.bytes?.find(namespace, key) : undefined) ??
      ephemeral?.find({ namespace, key });
    return record === undefined ? undefined : this.decode(record).value;
  }

  /** One item from the nearest tier that may serve it; undefined = surely absent. */
  async readObject(ref: ItemRef, options?: ReadOptions): Promise<ServedObject | undefined> {
    if (this.#mayUseCopies(options)) {
      const object = this.#core.copies.objects?.find(ref.namespace, ref.key);
      if (object !== undefined)
        return { tier: this.#objectTier(), record: object, encoded: undefined };
    }
    const served = await this.readRecord(ref, options);
    if (served === undefined) return undefined;
    return { tier: served.tier, record: this.#open(served), encoded: served.record };
  }

  /** The same without decoding; skips the tiers of decoded objects. */
  async readRecord(ref: ItemRef, options?: ReadOptions): Promise<Served | undefined> {
    assertReady(this.#core);
    const local = this.#local(ref, options);
    if (local !== undefined) return local;
    const [record] = await this.#fromAuthority([ref]);
    return record === undefined ? undefined : { tier: this.#core.authority.name, record };
  }

  /** Many items, in order: copies first, then one query for the rest. */
  async readMany(
    refs: readonly ItemRef[],
    options?: ReadOptions,
  ): Promise<(ServedObject | undefined)[]> {
    assertReady(this.#core);
    const answers: (ServedObject | undefined)[] = Array.from({ length: refs.length });
    const missing: number[] = [];
    const mayUseCopies = this.#mayUseCopies(options);
    for (const [index, ref] of refs.entries()) {
      const object = mayUseCopies
        ? this.#core.copies.objects?.find(ref.namespace, ref.key)
        : undefined;
      const local = object === undefined ? this.#local(ref, options) : undefined;
      if (object !== undefined)
        answers[index] = { tier: this.#objectTier(), record: object, encoded: undefined };
      else if (local === undefined) missing.push(index);
      else
        answers[index] = { tier: local.tier, record: this.#open(local), encoded: local.record };
    }
    if (missing.length === 0) return answers;
    const wanted = missing.map((index) => refs[index]).filter((ref) => ref !== undefined);
    const records = await this.#fromAuthority(wanted);
    for (const [at, index] of missing.entries()) {
      const record = records[at];
      if (record !== undefined)
        answers[index] = {
          tier: this.#core.authority.name,
          record: this.decode(record),
          encoded: record,
        };
    }
    return answers;
  }

  /** Decodes and freezes. Throws CORRUPT_VALUE rather than return something else. */
  decode(record: ItemRecord): ObjectRecord {
    const value = deepFreeze(this.#core.codec.decode(record.body, record));
    const { body, ...meta } = record;
    return { ...meta, value, sizeBytes: this.#core.codec.valueBytes(body) };
  }

  #objectTier(): MemoryTier {
    const { objects } = this.#core.copies;
    return objects === undefined ? this.#core.authority.name : objects.name;
  }

  #mayUseCopies(options: ReadOptions | undefined): boolean {
    if (options === undefined) return this.#core.validity.holds();
    if (options.consistency === "latest") return false;
    if (options.maxStalenessMs === undefined) return this.#core.validity.holds();
    return this.#core.validity.holdsWithin(options.maxStalenessMs);
  }

  #local(ref: ItemRef, options: ReadOptions | undefined): Served | undefined {
    const { copies, ephemeral } = this.#core;
    if (copies.bytes !== undefined && this.#mayUseCopies(options)) {
      const record = copies.bytes.find(ref.namespace, ref.key);
      if (record !== undefined) return { tier: copies.bytes.name, record };
    }
    const record = ephemeral?.find(ref);
    const tier = copies.bytes?.name ?? this.#core.authority.name;
    return record === undefined ? undefined : { tier, record };
  }

  /** Decodes a local copy and, when it proves hot, keeps the decoded form one tier up. */
  #open(served: Served): ObjectRecord {
    const { copies, doorkeeper, moves, authority } = this.#core;
    const object = this.decode(served.record);
    const isCopy = served.tier !== authority.name;
    if (!isCopy || copies.objects === undefined || this.#core.ephemeral?.find(served.record) !== undefined)
      return object;
    if (doorkeeper.admits(object.version) && copies.objects.offer(object) === "stored")
      moves.record(object, {
        from: served.tier,
        to: copies.objects.name,
        direction: "promote",
        reason: "read",
      });
    return object;
  }

  async #fromAuthority(refs: readonly ItemRef[]): Promise<readonly (ItemRecord | undefined)[]> {
    const { copies, authority } = this.#core;
    const tokens = refs.map((ref) => copies.guard.begin(ref));
    try {
      const records = await authority.getMany(refs);
      for (const [index, token] of tokens.entries()) this.#fill(token, records[index]);
      return records;
    } finally {
      for (const token of tokens) copies.guard.end(token);
    }
  }

  #fill(token: FillToken, record: ItemRecord | undefined): void {
    const { copies, authority, moves } = this.#core;
    if (record === undefined || copies.bytes === undefined) return;
    if (copies.fill(token, record) !== "stored") return;
    moves.record(record, {
      from: authority.name,
      to: copies.bytes.name,
      direction: "promote",
      reason: "read",
    });
  }
}
