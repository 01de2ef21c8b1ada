import { MemoryError, isMemoryError, toMemoryError } from "../model/errors.ts";
import type { ItemRecord, ItemRef, JsonValue, MemoryTier, ObjectRecord } from "../model/item.ts";
import type { TextRecord } from "../tiers/tier.ts";
import type { Core } from "./core.ts";
import { Fetcher } from "./fetcher.ts";
import type { ServedRecord } from "./fetcher.ts";
import { decodeRecord, valueIn } from "./decode-record.ts";
import { openedText, valueOf } from "./open-text.ts";
import { meetsDemand } from "./path-options.ts";
import type { PathOptions } from "./path-options.ts";

/** An item with its decoded value and the tier that gave it. */
export interface ServedObject {
  readonly tier: MemoryTier;
  readonly record: ObjectRecord;
  /** Undefined when it came from a tier of decoded objects. */
  readonly encoded: ItemRecord | undefined;
  /** True when it is a copy: then it is only as current as the last proof. */
  readonly copy: boolean;
  /** CRC-32 of the value's text, where it came as text. */
  readonly crc?: number;
}

const LATEST: PathOptions = { consistency: "latest" };

/** Bytes of JSON that one call may bring; more would hold up everybody else, and end as no text at all. */
const ANSWER_BYTES_MAX = 64 * 1024 * 1024;

function settled<T>(work: () => T): T | MemoryError {
  try {
    return work();
  } catch (error) {
    return toMemoryError(error);
  }
}

function tooLarge(): MemoryError {
  return new MemoryError(
    "BATCH_TOO_LARGE",
    `the values asked for exceed ${ANSWER_BYTES_MAX} bytes together; ask for fewer keys at once`,
  );
}

/** Reads: nearest valid copy first, then the authority; copies move up as they are used. */
export class ReadPath {
  readonly #core: Core;
  readonly #fetcher: Fetcher;

  constructor(core: Core) {
    this.#core = core;
    this.#fetcher = new Fetcher(core, (options) => this.#mayUseCopies(options));
  }

  /** The decoded copy, if it may be served now. The hot path: no allocation, no await. */
  hot(namespace: string, key: string): ObjectRecord | undefined {
    const { copies, validity } = this.#core;
    if (copies.objects === undefined || !validity.holds()) return undefined;
    return copies.objects.find(namespace, key);
  }

  /** What is at hand without waiting; undefined = not at hand. */
  peek(namespace: string, key: string): JsonValue | undefined {
    const hot = this.hot(namespace, key);
    if (hot !== undefined) return hot.value;
    const ref = { namespace, key };
    const value = this.#textValue(ref, undefined);
    if (value !== undefined) return value;
    const local = this.#local(ref, undefined);
    return local === undefined ? undefined : this.#open(local).value;
  }

  /** A copy that need not be copied and checked once more: a quarter of a hit that decodes. */
  findText(
    ref: ItemRef,
    options: PathOptions | undefined,
    encoding: "utf8" | "latin1",
  ): TextRecord | undefined {
    const { bytes } = this.#core.copies;
    if (bytes?.findText === undefined || !this.#mayUseCopies(options)) return undefined;
    const found = bytes.findText(ref.namespace, ref.key, encoding);
    return found !== undefined && meetsDemand(found, options) ? found : undefined;
  }

  /** One item from the nearest tier that may serve it; undefined = surely absent. */
  async readObject(ref: ItemRef, options?: PathOptions): Promise<ServedObject | undefined> {
    return this.atHand(ref, options) ?? this.#fetchObject(ref, options);
  }

  /**
   * The value alone: of an item that lies as text nothing else is read, and a hit makes no promise of
   * its own. Without options the caller has asked `hot` before.
   */
  readValue(
    ref: ItemRef,
    options: PathOptions | undefined,
  ): JsonValue | Promise<JsonValue | undefined> {
    const hot = options && this.#localObject(ref, options);
    if (hot !== undefined) return hot.record.value;
    const value = this.#textValue(ref, options);
    if (value !== undefined) return value;
    const local = this.#local(ref, options);
    const opened = local && this.#soundly(local);
    if (opened !== undefined) return opened.record.value;
    return this.#fetchValue(ref, options);
  }

  /** What a copy in this process answers, without waiting. */
  atHand(ref: ItemRef, options: PathOptions | undefined): ServedObject | undefined {
    const object = this.#localObject(ref, options) ?? this.#localText(ref, options);
    if (object !== undefined) return object;
    const local = this.#local(ref, options);
    return local && this.#soundly(local);
  }

  /**
   * Presents an item without decoding it; passes over the tiers of decoded objects. At once when a
   * copy is at hand: the promises of a hit cost a tenth of answering it over HTTP.
   */
  readEncoded<T>(
    ref: ItemRef,
    options: PathOptions | undefined,
    present: (served: ServedRecord) => T,
  ): T | Promise<T | undefined> {
    const local = this.#local(ref, options);
    const presented = local && this.#sound(local, () => present(local));
    return presented ?? this.#fetchEncoded(ref, options, present);
  }

  async #fetchEncoded<T>(
    ref: ItemRef,
    options: PathOptions | undefined,
    present: (served: ServedRecord) => T,
  ): Promise<T | undefined> {
    const served = await this.#fetchOne(ref, options);
    const presented = served && this.#sound(served, () => present(served));
    if (presented !== undefined || served === undefined) return presented;
    // The copy of the shared tier was damaged: the authority has the item.
    const whole = await this.#fetchOne(ref, LATEST);
    return whole && this.#sound(whole, () => present(whole));
  }

  async #fetchValue(
    ref: ItemRef,
    options: PathOptions | undefined,
  ): Promise<JsonValue | undefined> {
    const [served] = await this.#fetcher.one(ref, options);
    if (served === undefined) return undefined;
    if (isMemoryError(served)) throw served;
    const { record } = served;
    const value = this.#sound(served, () =>
      valueIn(this.#core.codec, record, record.checkedText?.()),
    );
    return value === undefined ? (await this.#again(ref))?.record.value : value;
  }

  async #fetchOne(
    ref: ItemRef,
    options: PathOptions | undefined,
  ): Promise<ServedRecord | undefined> {
    const [fetched] = await this.#fetcher.one(ref, options);
    if (isMemoryError(fetched)) throw fetched;
    return fetched;
  }

  async #fetchObject(
    ref: ItemRef,
    options: PathOptions | undefined,
  ): Promise<ServedObject | undefined> {
    const served = await this.#fetchOne(ref, options);
    return served && (this.#soundly(served) ?? this.#again(ref));
  }

  /** The copy of the shared tier was damaged: the authority has the item. */
  async #again(ref: ItemRef): Promise<ServedObject | undefined> {
    const whole = await this.#fetchOne(ref, LATEST);
    return whole && this.#soundly(whole);
  }

  /** Whether a live item is there. */
  async exists(ref: ItemRef, options?: PathOptions): Promise<boolean> {
    const atHand = this.#localObject(ref, options) ?? this.#local(ref, options);
    return atHand !== undefined || (await this.#fetchOne(ref, options)) !== undefined;
  }

  /** Many items, in order: copies first, then one query for the rest. */
  async readMany(
    refs: readonly ItemRef[],
    options?: PathOptions,
  ): Promise<(ServedObject | undefined)[]> {
    const answers = await this.readSettled(refs, options);
    return answers.map((answer) => {
      if (isMemoryError(answer)) throw answer;
      return answer;
    });
  }

  /** The values alone: of what lies elsewhere nothing else is made. */
  async readValues(
    refs: readonly ItemRef[],
    options?: PathOptions,
  ): Promise<(JsonValue | undefined)[]> {
    const values: (JsonValue | undefined)[] = [];
    const missing: ItemRef[] = [];
    let bytes = 0;
    for (const ref of refs) {
      const atHand = this.atHand(ref, options);
      if (atHand === undefined) missing.push(ref);
      bytes += atHand?.record.sizeBytes ?? 0;
      values.push(atHand?.record.value);
    }
    const fetched = missing.length === 0 ? [] : await this.#fetcher.many(missing, options);
    let next = 0;
    for (let index = 0; index < values.length; index += 1) {
      if (values[index] !== undefined) continue;
      const served = fetched[next++];
      if (served === undefined) continue;
      if (isMemoryError(served)) throw served;
      const { record } = served;
      const value = this.#sound(served, () => {
        const text = record.checkedText?.();
        bytes += text?.length ?? this.#core.codec.valueBytes(record.body);
        if (bytes > ANSWER_BYTES_MAX) throw tooLarge();
        return valueIn(this.#core.codec, record, text);
      });
      values[index] = value === undefined ? (await this.#again(record))?.record.value : value;
    }
    if (bytes > ANSWER_BYTES_MAX) throw tooLarge();
    return values;
  }

  /**
   * The same, but what cannot be told of one item is its own answer and leaves the others: an item
   * that is damaged, the items that only the authority has while it is away, those beyond what one
   * answer may hold.
   */
  async readSettled(
    refs: readonly ItemRef[],
    options?: PathOptions,
  ): Promise<(ServedObject | MemoryError | undefined)[]> {
    const answers = refs.map((ref) => settled(() => this.atHand(ref, options)));
    const missing = refs.filter((_, index) => answers[index] === undefined);
    const fetched = missing.length === 0 ? [] : await this.#fetchSound(missing, options);
    let next = 0;
    let bytes = 0;
    return answers.map((atHand) => {
      const answer = atHand ?? fetched[next++];
      if (answer === undefined || isMemoryError(answer)) return answer;
      bytes += answer.record.sizeBytes;
      return bytes <= ANSWER_BYTES_MAX ? answer : tooLarge();
    });
  }

  /** Decoded; a copy of the shared tier that is damaged is read again from the authority. */
  async #fetchSound(
    refs: readonly ItemRef[],
    options: PathOptions | undefined,
  ): Promise<(ServedObject | MemoryError | undefined)[]> {
    const fetched = await this.#fetcher.many(refs, options);
    const opened = fetched.map((one) =>
      one === undefined || isMemoryError(one) ? one : settled(() => this.#soundly(one)),
    );
    for (const [index, ref] of refs.entries()) {
      if (opened[index] !== undefined || fetched[index] === undefined) continue;
      opened[index] = await this.#again(ref).catch(toMemoryError);
    }
    return opened;
  }

  /** Age of what a copy shows, when the authority cannot be asked; undefined = not degraded. */
  degradedAgeMs(copy: boolean): number | undefined {
    const { authority, validity } = this.#core;
    if (!copy || authority.health().status === "ready") return undefined;
    return Math.max(0, Math.round(validity.ageMs()));
  }

  #opened(served: ServedRecord): ServedObject {
    const { tier, record, copy } = served;
    return { tier, record: this.#open(served), encoded: record, copy };
  }

  /**
   * What `open` makes of a record, unless the record is damaged: then no copy of it is kept, and
   * undefined says of a copy that the authority has to be asked.
   */
  #sound<T>({ record, copy, atHand }: ServedRecord, open: () => T): T | undefined {
    try {
      return open();
    } catch (error) {
      if (toMemoryError(error).code !== "CORRUPT_VALUE") throw error;
      const { copies, shared } = this.#core;
      copies.invalidate(record, Number.POSITIVE_INFINITY);
      if (!copy) throw error;
      // Or all would meet it again until its life ends.
      if (!atHand) shared?.discard(record);
      return undefined;
    }
  }

  #soundly(served: ServedRecord): ServedObject | undefined {
    return this.#sound(served, () => this.#opened(served));
  }

  #mayUseCopies(options: PathOptions | undefined): boolean {
    const { validity } = this.#core;
    if (options === undefined) return validity.holds();
    if (options.consistency === "latest") return false;
    if (options.maxStalenessMs === undefined) return validity.holds();
    return validity.holdsWithin(options.maxStalenessMs);
  }

  #localObject(ref: ItemRef, options: PathOptions | undefined): ServedObject | undefined {
    const { objects } = this.#core.copies;
    if (objects === undefined || !this.#mayUseCopies(options)) return undefined;
    const record = objects.find(ref.namespace, ref.key);
    if (record === undefined || !meetsDemand(record, options)) return undefined;
    return { tier: objects.name, record, encoded: undefined, copy: true };
  }

  #textValue(ref: ItemRef, options: PathOptions | undefined): JsonValue | undefined {
    const { bytes } = this.#core.copies;
    if (bytes?.findValueText === undefined || !this.#mayUseCopies(options)) return undefined;
    const { namespace, key } = ref;
    const found = bytes.findValueText(namespace, key);
    if (found === undefined) return undefined;
    if (options !== undefined && !meetsDemand({ namespace, key, version: found.version }, options))
      return undefined;
    const value = valueOf(found);
    if (value === undefined || !this.#earnsPlace(found.version)) return value;
    // Nothing was awaited, so it is still the same item; decoded once more, but once in its life.
    const record = bytes.inspect(namespace, key);
    if (record !== undefined) this.#promote(decodeRecord(this.#core.codec, record));
    return value;
  }

  #localText(ref: ItemRef, options: PathOptions | undefined): ServedObject | undefined {
    const found = this.findText(ref, options, "utf8");
    const value = found && valueOf(found);
    const { bytes } = this.#core.copies;
    if (found === undefined || value === undefined || bytes === undefined) return undefined;
    const record = openedText(found, value);
    if (this.#earnsPlace(found.version)) this.#promote(record);
    return { tier: bytes.name, record, encoded: undefined, copy: true, crc: found.crc };
  }

  #local(ref: ItemRef, options: PathOptions | undefined): ServedRecord | undefined {
    const { copies, ephemeral, authority } = this.#core;
    if (copies.bytes !== undefined && this.#mayUseCopies(options)) {
      const record = copies.bytes.find(ref.namespace, ref.key);
      if (record !== undefined && meetsDemand(record, options))
        return { tier: copies.bytes.name, record, copy: true, atHand: true };
    }
    const record = ephemeral?.find(ref);
    const tier = copies.bytes?.name ?? authority.name;
    return record && { tier, record, copy: false, atHand: true };
  }

  /** Decodes and, when a copy proves hot, keeps the decoded form one tier up. */
  #open(served: ServedRecord): ObjectRecord {
    const object = decodeRecord(this.#core.codec, served.record);
    // Nothing is awaited between finding the copy and offering it, so no change can slip between.
    if (served.copy && served.atHand && this.#earnsPlace(object.version)) this.#promote(object);
    return object;
  }

  /** Whether a hit of encoded bytes makes the item worth a place among the decoded objects. */
  #earnsPlace(version: number): boolean {
    const { copies, doorkeeper } = this.#core;
    return copies.objects !== undefined && doorkeeper.admits(version);
  }

  #promote(object: ObjectRecord): void {
    const { objects, bytes } = this.#core.copies;
    if (objects === undefined || bytes === undefined) return;
    if (objects.offer(object) !== "stored") return;
    const { moves } = this.#core;
    moves.record(object, {
      from: bytes.name,
      to: objects.name,
      direction: "promote",
      reason: "read",
    });
  }
}
