import { isWithin } from "../../model/key.ts";
import { hashText } from "../../model/key-hash.ts";

/** Bytes a slot: its neighbours in its namespace. */
export const NAMESPACE_LINK_BYTES = 8;
/** Estimate of a namespace's object, map entry and list places; its name comes on top. */
const NAMESPACE_BYTES = 240;
const NO_SLOT = 0xffff_ffff;
/** No namespace holds NUL, so this is none. */
const NO_NAME = "\u0000";

/** A namespace that holds items. */
export interface NamespaceEntry {
  readonly id: number;
  readonly name: string;
  /** Seed of the hashes of its keys. */
  readonly seed: number;
  items: number;
  /** Of its items. */
  bytes: number;
  head: number;
  /** Dropped: its items are found no more and wait for their memory to be taken back. */
  isDead: boolean;
}

/** What a namespace takes beside its items. */
export function namespaceBytes(name: string): number {
  return NAMESPACE_BYTES + name.length * 2;
}

/**
 * Namespaces as small numbers, each with a list of its slots. Dropping one takes its name away from
 * the number, whatever the number of its items; a new namespace of that name gets another number.
 */
export class NamespaceTable {
  readonly #seed: number;
  readonly #previous: Uint32Array;
  readonly #next: Uint32Array;
  readonly #byName = new Map<string, NamespaceEntry>();
  #byId: (NamespaceEntry | undefined)[] = [];
  #freeIds: number[] = [];
  #dead: NamespaceEntry[] = [];
  #lastName = NO_NAME;
  #last: NamespaceEntry | undefined;

  constructor(slotsMax: number, seed: number) {
    this.#seed = seed;
    this.#previous = new Uint32Array(slotsMax);
    this.#next = new Uint32Array(slotsMax);
  }

  find(name: string): NamespaceEntry | undefined {
    if (name === this.#lastName) return this.#last;
    this.#last = this.#byName.get(name);
    this.#lastName = name;
    return this.#last;
  }

  findById(id: number): NamespaceEntry | undefined {
    return this.#byId[id];
  }

  create(name: string): NamespaceEntry {
    const id = this.#freeIds.pop() ?? this.#byId.length;
    const seed = hashText(name, this.#seed);
    const entry = { id, name, seed, items: 0, bytes: 0, head: NO_SLOT, isDead: false };
    this.#byId[id] = entry;
    this.#byName.set(name, entry);
    this.#forgetLast();
    return entry;
  }

  add(entry: NamespaceEntry, slot: number, bytes: number): void {
    this.#previous[slot] = NO_SLOT;
    this.#next[slot] = entry.head;
    if (entry.head !== NO_SLOT) this.#previous[entry.head] = slot;
    entry.head = slot;
    entry.items += 1;
    entry.bytes += bytes;
  }

  /** True when it was the last slot: the namespace is then gone too. */
  remove(entry: NamespaceEntry, slot: number, bytes: number): boolean {
    const previous = this.#previous[slot] ?? NO_SLOT;
    const next = this.#next[slot] ?? NO_SLOT;
    if (previous === NO_SLOT) entry.head = next;
    else this.#next[previous] = next;
    if (next !== NO_SLOT) this.#previous[next] = previous;
    entry.items -= 1;
    entry.bytes -= bytes;
    if (entry.items > 0) return false;
    this.#byId[entry.id] = undefined;
    this.#freeIds.push(entry.id);
    if (entry.isDead) this.#dead = this.#dead.filter((other) => other !== entry);
    else this.#unname(entry);
    return true;
  }

  /** The namespaces that dropping would hit. */
  within(namespace: string, below: boolean): NamespaceEntry[] {
    const exact = this.#byName.get(namespace);
    if (!below) return exact === undefined ? [] : [exact];
    return [...this.#byName.values()].filter(({ name }) => isWithin(name, namespace));
  }

  /** From now on the name means nothing, or a new namespace. */
  bury(entry: NamespaceEntry): void {
    this.#unname(entry);
    entry.isDead = true;
    this.#dead.push(entry);
  }

  /** A slot whose memory waits to be taken back; -1 when there is none. */
  deadSlot(): number {
    return this.#dead.at(-1)?.head ?? -1;
  }

  clear(): void {
    this.#byName.clear();
    this.#byId = [];
    this.#freeIds = [];
    this.#dead = [];
    this.#forgetLast();
  }

  #unname(entry: NamespaceEntry): void {
    this.#byName.delete(entry.name);
    this.#forgetLast();
  }

  #forgetLast(): void {
    this.#lastName = NO_NAME;
    this.#last = undefined;
  }
}
