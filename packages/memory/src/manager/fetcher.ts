import type { FillToken } from "../coherence/fill-guard.ts";
import { MemoryError, toMemoryError } from "../model/errors.ts";
import type { ItemRecord, ItemRef, MemoryTier, TierOutcome } from "../model/item.ts";
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

const NOTHING: readonly Fetched[] = [undefined];

/** What was asked for, and what of it has been found so far. */
interface Search {
  readonly refs: readonly ItemRef[];
  readonly token: FillToken;
  /** In the order asked. */
  readonly served: Fetched[];
  /** The shared tier was asked, with proof. */
  wasAsked: boolean;
  /** Ephemeral items that the authority must allow, by place. */
  unsure: ReadonlyMap<number, SharedEntry> | undefined;
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

  /** One item, as a list of one: a promise more that takes it out costs as much as judging it. */
  one(ref: ItemRef, options: PathOptions | undefined): Promise<readonly Fetched[]> {
    if (this.#core.shared === undefined) return this.#oneFromAuthority(ref);
    return this.many([ref], options);
  }

  /** Many, in order; what cannot be told of one is its own answer. */
  async many(
    refs: readonly ItemRef[],
    options: PathOptions | undefined,
  ): Promise<readonly Fetched[]> {
    const { guard } = this.#core.copies;
    const token = guard.begin();
    const search: Search = { refs, token, served: [], wasAsked: false, unsure: undefined };
    try {
      const wantsLatest = options?.consistency === "latest";
      const { shared } = this.#core;
      if (shared !== undefined && !wantsLatest && this.#mayUseCopies(options)) {
        const { proven, unsure } = await shared.find(refs);
        // Asked again: the answer may have taken longer than the proof lasts.
        search.wasAsked = this.#mayUseCopies(options);
        if (search.wasAsked) {
          search.unsure = unsure;
          if (this.#serveProven(search, proven, options)) return search.served;
        }
      }
      await this.#ask(search, wantsLatest);
      return search.served;
    } finally {
      guard.end(token);
    }
  }

  /** What the shared tier could not give, from the authority. */
  async #ask(search: Search, wantsLatest: boolean): Promise<void> {
    const { refs, token, served } = search;
    const missing = refs.filter((_, index) => served[index] === undefined);
    const records = await this.#fromAuthority(token, missing, wantsLatest);
    let next = 0;
    for (let index = 0; index < refs.length; index += 1)
      served[index] ??= this.#served(records[next++]);
    await this.#addEphemeral(search);
  }

  /** Without lists: most reads are of one item. */
  async #oneFromAuthority(ref: ItemRef): Promise<readonly Fetched[]> {
    const { copies, authority } = this.#core;
    const token = copies.guard.begin();
    try {
      const [record] = await authority.getMany([ref]);
      this.#agree(ref, record);
      if (record === undefined) return NOTHING;
      this.#fill(token, record, authority.name);
      return [{ tier: authority.name, record, copy: false, atHand: false }];
    } finally {
      copies.guard.end(token);
    }
  }

  /** Whether all that was asked for is served by it. */
  #serveProven(
    search: Search,
    proven: readonly (SharedEntry | undefined)[],
    options: PathOptions | undefined,
  ): boolean {
    const { refs, token, served } = search;
    let isComplete = true;
    for (let index = 0; index < refs.length; index += 1) {
      const entry = proven[index];
      const one = entry && this.#proven(token, entry, options);
      served.push(one);
      if (one === undefined) isComplete = false;
    }
    return isComplete;
  }

  #proven(
    token: FillToken,
    { kind, record }: SharedEntry,
    options: PathOptions | undefined,
  ): ServedRecord | undefined {
    const { shared, copies } = this.#core;
    if (shared === undefined) return undefined;
    const tier = shared.tier.name;
    if (kind === "ephemeral") return { tier, record, copy: false, atHand: false };
    if (!token.allows(record, record.version) || !meetsDemand(record, options)) return undefined;
    copies.retire(record, record.version);
    this.#moved(copies.keep(token, record), record, tier);
    return { tier, record, copy: true, atHand: false };
  }

  /** The lease comes before the query: whatever is committed in between takes it away. */
  async #fromAuthority(
    token: FillToken,
    refs: readonly ItemRef[],
    wantsLatest: boolean,
  ): Promise<readonly (ItemRecord | MemoryError | undefined)[]> {
    const { shared, authority, readsAhead } = this.#core;
    const reservation = wantsLatest ? undefined : await shared?.reserve(refs);
    const records = await this.#settledRecords(refs);
    const sound = records.map((record) => (record instanceof MemoryError ? undefined : record));
    for (const [index, ref] of refs.entries()) {
      const record = sound[index];
      if (records[index] instanceof MemoryError) continue;
      readsAhead?.note(ref, record?.version ?? Number.POSITIVE_INFINITY);
      this.#agree(ref, record);
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
  async #addEphemeral({ served, wasAsked, unsure, refs }: Search): Promise<void> {
    const { shared } = this.#core;
    if (shared === undefined || !served.includes(undefined)) return;
    if (wasAsked) {
      // Of those that were seen on the way down the authority is asked.
      const doubtful = [...(unsure ?? [])].filter(([index]) => served[index] === undefined);
      if (doubtful.length === 0) return;
      for (const [index, record] of await shared.settleDoubts(new Map(doubtful)))
        served[index] = this.#ephemeral(record);
      return;
    }
    // Other reads see them only now.
    const places = [...served.keys()].filter((index) => served[index] === undefined);
    const found = await shared.findEphemeral(places.flatMap((index) => refs[index] ?? []));
    if (found === "unknown") return;
    for (const [at, index] of places.entries()) {
      const record = found[at];
      if (record !== undefined) served[index] = this.#ephemeral(record);
    }
  }

  #ephemeral(record: ItemRecord): Fetched {
    const tier = this.#core.shared?.tier.name ?? this.#core.authority.name;
    return { tier, record, copy: false, atHand: false };
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
    this.#moved(this.#core.copies.fill(token, record), record, from);
  }

  #moved(outcome: TierOutcome, record: ItemRecord, from: MemoryTier): void {
    const { copies, moves } = this.#core;
    if (outcome !== "stored" || copies.bytes === undefined) return;
    moves.record(record, { from, to: copies.bytes.name, direction: "promote", reason: "read" });
  }
}
