import type { FillToken } from "../coherence/fill-guard.ts";
import type { Judged } from "../coherence/shared-copies.ts";
import { MemoryError, toMemoryError } from "../model/errors.ts";
import type { ItemRecord, ItemRef, MemoryTier } from "../model/item.ts";
import type { SharedEntry } from "../tiers/shared.ts";
import type { Core } from "./core.ts";
import { meetsDemand } from "./path-options.ts";
import type { PathOptions } from "./path-options.ts";

/** An item as it lies in a tier of bytes, and the tier that gave it. */
export interface ServedRecord {
  readonly tier: MemoryTier;
  readonly record: ItemRecord;
  /** True when it is a copy: then it is only as current as the last proof. */
  readonly copy: boolean;
  /** Found in this process in this very step: nothing can have changed since. */
  readonly atHand: boolean;
}

/** What was found; undefined = surely absent; an error = cannot tell. */
export type Fetched = ServedRecord | MemoryError | undefined;

/** What was asked for, and what of it has been found so far; tokens in the order asked. */
interface Search {
  readonly tokens: readonly FillToken[];
  readonly served: Fetched[];
  /** The shared tier was asked, with proof. */
  wasAsked: boolean;
  /** Ephemeral items that the authority must allow, by place. */
  unsure: Map<number, Judged> | undefined;
}

/** Fetches what no copy in this process may answer: from the shared tier with proof, else from the authority. */
export class Fetcher {
  readonly #core: Core;
  /** Whether copies may be served under these options at this moment. */
  readonly #mayUseCopies: (options: PathOptions | undefined) => boolean;

  constructor(core: Core, mayUseCopies: (options: PathOptions | undefined) => boolean) {
    this.#core = core;
    this.#mayUseCopies = mayUseCopies;
  }

  /** One item; rejects when it cannot be told. */
  async one(ref: ItemRef, options: PathOptions | undefined): Promise<ServedRecord | undefined> {
    if (this.#core.shared === undefined) return this.#oneFromAuthority(ref);
    const [fetched] = await this.many([ref], options);
    if (fetched instanceof MemoryError) throw fetched;
    return fetched;
  }

  /** Many, in order; what cannot be told of one is its own answer. */
  async many(
    refs: readonly ItemRef[],
    options: PathOptions | undefined,
  ): Promise<readonly Fetched[]> {
    const { guard } = this.#core.copies;
    const tokens = refs.map((ref) => guard.begin(ref));
    const served = tokens.map((): Fetched => undefined);
    const search: Search = { tokens, served, wasAsked: false, unsure: undefined };
    try {
      const wantsLatest = options?.consistency === "latest";
      const { shared } = this.#core;
      if (shared !== undefined && !wantsLatest && this.#mayUseCopies(options)) {
        const judged = await shared.find(refs);
        // Asked again: the answer may have taken longer than the proof lasts.
        search.wasAsked = this.#mayUseCopies(options);
        if (search.wasAsked) this.#serveProven(search, judged, options);
      }
      if (served.includes(undefined)) await this.#ask(search, refs, wantsLatest);
      return served;
    } finally {
      for (const token of tokens) guard.end(token);
    }
  }

  /** What the shared tier could not give, from the authority. */
  async #ask(search: Search, refs: readonly ItemRef[], wantsLatest: boolean): Promise<void> {
    const { tokens, served } = search;
    const missing = tokens.filter((_, index) => served[index] === undefined);
    const records = await this.#fromAuthority(missing, wantsLatest);
    let next = 0;
    for (const [index, one] of served.entries())
      if (one === undefined) served[index] = this.#served(records[next++]);
    await this.#addEphemeral(search, refs);
  }

  /** Without lists: most reads are of one item. */
  async #oneFromAuthority(ref: ItemRef): Promise<ServedRecord | undefined> {
    const { copies, authority } = this.#core;
    const token = copies.guard.begin(ref);
    try {
      const [record] = await authority.getMany([ref]);
      this.#agree(ref, record);
      if (record === undefined) return undefined;
      this.#fill(token, record, authority.name);
      return { tier: authority.name, record, copy: false, atHand: false };
    } finally {
      copies.guard.end(token);
    }
  }

  #serveProven(
    search: Search,
    judged: readonly (Judged | undefined)[],
    options: PathOptions | undefined,
  ): void {
    for (let index = 0; index < judged.length; index += 1) {
      const one = judged[index];
      const token = search.tokens[index];
      if (one === undefined || token === undefined) continue;
      if (one.verdict === "unsure") {
        search.unsure ??= new Map();
        search.unsure.set(index, one);
      } else search.served[index] = this.#proven(token, one.entry, options);
    }
  }

  #proven(
    token: FillToken,
    { kind, record }: SharedEntry,
    options: PathOptions | undefined,
  ): ServedRecord | undefined {
    const { shared, readsAhead } = this.#core;
    if (shared === undefined) return undefined;
    const tier = shared.tier.name;
    if (kind === "ephemeral") return { tier, record, copy: false, atHand: false };
    if (!token.allows(record.version) || !meetsDemand(record, options)) return undefined;
    // Shown from here, it must not be followed by something older, from wherever: the log as followed
    // may not have it yet, and the copy that is made of it now may be let go.
    readsAhead?.note(token.ref, record.version);
    this.#agree(token.ref, record);
    this.#fill(token, record, tier);
    return { tier, record, copy: true, atHand: false };
  }

  /** The lease comes before the query: whatever is committed in between takes it away. */
  async #fromAuthority(
    tokens: readonly FillToken[],
    wantsLatest: boolean,
  ): Promise<readonly (ItemRecord | MemoryError | undefined)[]> {
    const { shared, authority } = this.#core;
    const refs = tokens.map(({ ref }) => ref);
    const reservation = wantsLatest ? undefined : await shared?.reserve(refs);
    const records = await this.#settledRecords(refs);
    const sound = records.map((record) => (record instanceof MemoryError ? undefined : record));
    for (const [index, token] of tokens.entries()) {
      const record = sound[index];
      if (records[index] instanceof MemoryError) continue;
      this.#core.readsAhead?.note(token.ref, record?.version ?? Number.POSITIVE_INFINITY);
      this.#agree(token.ref, record);
      if (record !== undefined) this.#fill(token, record, authority.name);
    }
    // Nobody waits for it.
    if (reservation !== undefined) void shared?.fill(refs, reservation, sound);
    return records;
  }

  /** What the authority has, each record or why it cannot be told. */
  async #settledRecords(
    refs: readonly ItemRef[],
  ): Promise<readonly (ItemRecord | MemoryError | undefined)[]> {
    try {
      return await this.#core.authority.getMany(refs);
    } catch (cause) {
      const error = toMemoryError(cause);
      if (error.code !== "CORRUPT_VALUE" || refs.length === 1) return refs.map(() => error);
      // One damaged row fails the whole query; asked for one by one the others can be had.
      const answers: (ItemRecord | MemoryError | undefined)[] = [];
      for (const ref of refs) answers.push(...(await this.#settledRecords([ref])));
      return answers;
    }
  }

  /** Where the authority has nothing durable, an ephemeral item may be there. */
  async #addEphemeral(
    { served, wasAsked, unsure }: Search,
    refs: readonly ItemRef[],
  ): Promise<void> {
    const { shared } = this.#core;
    if (shared === undefined || !served.includes(undefined)) return;
    const places = [...served.keys()].filter((index) => served[index] === undefined);
    // Of those that were seen on the way down the authority is asked; other reads see them only now.
    const found = wasAsked
      ? await shared.settleDoubts(places.map((index) => unsure?.get(index)))
      : await shared.findEphemeral(places.flatMap((index) => refs[index] ?? []));
    if (found === "unknown") return;
    for (const [at, index] of places.entries()) {
      const record = found[at];
      if (record !== undefined)
        served[index] = { tier: shared.tier.name, record, copy: false, atHand: false };
    }
  }

  #served(record: ItemRecord | MemoryError | undefined): Fetched {
    if (record === undefined || record instanceof MemoryError) return record;
    return { tier: this.#core.authority.name, record, copy: false, atHand: false };
  }

  /**
   * What the authority has just shown, no copy here may contradict: a copy that is older but within the
   * bound would take a reader of this server back in time. Also stops an older answer under way.
   */
  #agree(ref: ItemRef, record: ItemRecord | undefined): void {
    this.#core.copies.invalidate(ref, record?.version ?? Number.POSITIVE_INFINITY);
  }

  #fill(token: FillToken, record: ItemRecord, from: MemoryTier): void {
    const { copies, moves } = this.#core;
    if (copies.fill(token, record) !== "stored" || copies.bytes === undefined) return;
    moves.record(record, { from, to: copies.bytes.name, direction: "promote", reason: "read" });
  }
}
