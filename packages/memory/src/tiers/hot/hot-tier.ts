import type { Clock } from "../../model/clock.ts";
import { MemoryError } from "../../model/errors.ts";
import { MemoryTier } from "../../model/item.ts";
import type { ObjectRecord } from "../../model/item.ts";
import { isWithin } from "../../model/key.ts";
import type {
  DemotionListener,
  ObjectTier,
  OfferOutcome,
  TierCapabilities,
  TierHealth,
  TierUsage,
} from "../tier.ts";
import { recordBytes } from "./heap-estimate.ts";
import { SieveList } from "./sieve-list.ts";
import type { SieveEntry } from "./sieve-list.ts";

export interface HotTierOptions {
  /** Bound on the estimated heap bytes of all records. */
  readonly maxBytes: number;
  readonly maxItems: number;
  readonly clock: Clock;
}

type Entries = Map<string, SieveEntry>;

/** No namespace holds NUL, so this is none. */
const NO_NAMESPACE = "\u0000";

/**
 * L0: decoded, frozen records on the heap. One map per namespace with the last one used kept at
 * hand, so that a find hashes the key only, joins no strings, moves nothing and reads the clock only
 * for records that expire.
 */
export class HotTier implements ObjectTier {
  readonly name: MemoryTier = MemoryTier.L0_CPU_CACHE;
  readonly capabilities: TierCapabilities = {
    role: "copy",
    holds: "objects",
    synchronous: true,
    shared: false,
    durable: false,
    ephemeral: false,
  };

  readonly #clock: Clock;
  readonly #maxBytes: number;
  readonly #maxItems: number;
  readonly #namespaces = new Map<string, Entries>();
  readonly #list = new SieveList();
  readonly #listeners: DemotionListener<ObjectRecord>[] = [];
  #lastNamespace = NO_NAMESPACE;
  #lastEntries: Entries | undefined;
  #closed = false;
  #items = 0;
  #bytes = 0;
  #hits = 0;
  #misses = 0;
  #evictions = 0;
  #expirations = 0;

  constructor(options: HotTierOptions) {
    this.#clock = options.clock;
    this.#maxBytes = options.maxBytes;
    this.#maxItems = options.maxItems;
  }

  async initialize(): Promise<void> {
    this.#assertOpen();
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.flush();
    this.#closed = true;
  }

  health(): TierHealth {
    return this.#closed ? { status: "closed", reason: "it was closed" } : { status: "ready" };
  }

  usage(): TierUsage {
    return {
      items: this.#items,
      bytes: this.#bytes,
      maxBytes: this.#maxBytes,
      maxItems: this.#maxItems,
      hits: this.#hits,
      misses: this.#misses,
      evictions: this.#evictions,
      expirations: this.#expirations,
    };
  }

  find(namespace: string, key: string): ObjectRecord | undefined {
    const entries = namespace === this.#lastNamespace ? this.#lastEntries : this.#enter(namespace);
    const entry = entries?.get(key);
    if (entry === undefined) {
      this.#misses += 1;
      return undefined;
    }
    const { record } = entry;
    if (record.deadlineMs !== Infinity && this.#isPast(record)) {
      this.#expire(entry);
      this.#misses += 1;
      return undefined;
    }
    entry.visited = true;
    this.#hits += 1;
    return record;
  }

  inspect(namespace: string, key: string): ObjectRecord | undefined {
    this.#assertOpen();
    const record = this.#namespaces.get(namespace)?.get(key)?.record;
    return record === undefined || this.#isPast(record) ? undefined : record;
  }

  offer(record: ObjectRecord): OfferOutcome {
    this.#assertOpen();
    const present = this.#namespaces.get(record.namespace)?.get(record.key);
    if (present !== undefined) {
      const { version } = present.record;
      if (version > record.version) return "older";
      if (version === record.version && !this.#isPast(present.record)) return "older";
      // Whatever becomes of the new record, the one before it must not be served again.
      this.#remove(present);
    }
    const bytes = recordBytes(record);
    if (bytes > this.#maxBytes || this.#maxItems < 1 || this.#isPast(record)) return "refused";
    this.#makeRoom(bytes);
    this.#insert({ record, bytes, visited: false, newer: undefined, older: undefined });
    return "stored";
  }

  drop(namespace: string, key: string, belowVersion: number): boolean {
    this.#assertOpen();
    const entry = this.#namespaces.get(namespace)?.get(key);
    if (entry === undefined || entry.record.version >= belowVersion) return false;
    this.#remove(entry);
    return true;
  }

  dropNamespace(namespace: string, below: boolean): number {
    this.#assertOpen();
    let dropped = 0;
    for (const [name, entries] of this.#namespaces) {
      if (name !== namespace && !(below && isWithin(name, namespace))) continue;
      dropped += entries.size;
      for (const entry of entries.values()) this.#remove(entry);
    }
    return dropped;
  }

  flush(): void {
    this.#assertOpen();
    this.#namespaces.clear();
    this.#list.clear();
    this.#forgetLast();
    this.#items = 0;
    this.#bytes = 0;
  }

  sweep(maxItems: number): number {
    this.#assertOpen();
    let freed = 0;
    let entry = this.#list.oldest;
    while (entry !== undefined && freed < maxItems) {
      const { newer } = entry;
      if (this.#isPast(entry.record)) {
        this.#expire(entry);
        freed += 1;
      }
      entry = newer;
    }
    return freed;
  }

  onDemotion(listener: DemotionListener<ObjectRecord>): void {
    this.#listeners.push(listener);
  }

  /** Looks a namespace up and keeps it at hand for the next find. */
  #enter(namespace: string): Entries | undefined {
    this.#assertOpen();
    this.#lastEntries = this.#namespaces.get(namespace);
    this.#lastNamespace = namespace;
    return this.#lastEntries;
  }

  #forgetLast(): void {
    this.#lastNamespace = NO_NAMESPACE;
    this.#lastEntries = undefined;
  }

  #isPast(record: ObjectRecord): boolean {
    return record.deadlineMs !== Infinity && record.deadlineMs <= this.#clock.monotonicMs();
  }

  #insert(entry: SieveEntry): void {
    const { namespace, key } = entry.record;
    let entries = this.#namespaces.get(namespace);
    if (entries === undefined) {
      entries = new Map();
      this.#namespaces.set(namespace, entries);
      this.#forgetLast();
    }
    entries.set(key, entry);
    this.#list.add(entry);
    this.#items += 1;
    this.#bytes += entry.bytes;
  }

  #remove(entry: SieveEntry): void {
    const { namespace, key } = entry.record;
    const entries = this.#namespaces.get(namespace);
    if (entries?.delete(key) !== true) return;
    if (entries.size === 0) {
      this.#namespaces.delete(namespace);
      this.#forgetLast();
    }
    this.#list.remove(entry);
    this.#items -= 1;
    this.#bytes -= entry.bytes;
  }

  #expire(entry: SieveEntry): void {
    this.#remove(entry);
    this.#expirations += 1;
  }

  #makeRoom(bytes: number): void {
    while (this.#items >= this.#maxItems || this.#bytes + bytes > this.#maxBytes) {
      const victim = this.#list.victim();
      if (victim === undefined) return;
      this.#remove(victim);
      if (this.#isPast(victim.record)) {
        this.#expirations += 1;
        continue;
      }
      this.#evictions += 1;
      for (const listener of this.#listeners) listener(victim.record);
    }
  }

  #assertOpen(): void {
    if (this.#closed)
      throw new MemoryError("CLOSED", "this tier is closed; make a new memory to go on");
  }
}
