import type { FillToken } from "../coherence/fill-guard.ts";
import type { Judged } from "../coherence/shared-copies.ts";
import { MemoryError, toMemoryError } from "../model/errors.ts";
import type { ItemRecord, ItemRef, MemoryTier } from "../model/item.ts";
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

/** What the shared tier gave for one ref: served, or an ephemeral item that the authority must allow. */
interface Below {
  readonly served: ServedRecord | undefined;
  readonly unsure: Judged | undefined;
}

const NOTHING: Below = { served: undefined, unsure: undefined };

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
    try {
      const wantsLatest = options?.consistency === "latest";
      const below = wantsLatest
        ? tokens.map(() => NOTHING)
        : await this.#fromShared(tokens, options);
      const missing = tokens.filter((_, index) => below[index]?.served === undefined);
      if (missing.length === 0) return below.map(({ served }) => served);
      const records = await this.#fromAuthority(missing, wantsLatest);
      let next = 0;
      const fetched = below.map(({ served }) => served ?? this.#served(records[next++]));
      return await this.#withEphemeral(refs, { fetched, below, wantsLatest });
    } finally {
      for (const token of tokens) guard.end(token);
    }
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

  async #fromShared(
    tokens: readonly FillToken[],
    options: PathOptions | undefined,
  ): Promise<readonly Below[]> {
    const { shared } = this.#core;
    if (shared === undefined || !this.#mayUseCopies(options)) return tokens.map(() => NOTHING);
    const judged = await shared.find(tokens.map(({ ref }) => ref));
    // Asked again: the answer may have taken longer than the proof lasts.
    if (!this.#mayUseCopies(options)) return tokens.map(() => NOTHING);
    return tokens.map((token, index) =>
      this.#below(token, { judged: judged[index], tier: shared.tier.name, options }),
    );
  }

  #below(
    token: FillToken,
    found: {
      readonly judged: Judged | undefined;
      readonly tier: MemoryTier;
      readonly options: PathOptions | undefined;
    },
  ): Below {
    const { judged, tier, options } = found;
    if (judged === undefined) return NOTHING;
    const { entry, verdict } = judged;
    if (verdict === "unsure") return { served: undefined, unsure: judged };
    const { record } = entry;
    if (entry.kind === "ephemeral")
      return { served: { tier, record, copy: false, atHand: false }, unsure: undefined };
    if (!token.allows(record.version) || !meetsDemand(record, options)) return NOTHING;
    // Shown from here, it must not be followed by something older, from wherever: the log as followed
    // may not have it yet, and the copy that is made of it now may be let go.
    this.#core.readsAhead?.note(token.ref, record.version);
    this.#agree(token.ref, record);
    this.#fill(token, record, tier);
    return { served: { tier, record, copy: true, atHand: false }, unsure: undefined };
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
  async #withEphemeral(
    refs: readonly ItemRef[],
    read: {
      readonly fetched: readonly Fetched[];
      readonly below: readonly Below[];
      readonly wantsLatest: boolean;
    },
  ): Promise<readonly Fetched[]> {
    const { shared } = this.#core;
    const { fetched, below, wantsLatest } = read;
    if (shared === undefined) return fetched;
    const absent = refs.filter((_, index) => fetched[index] === undefined);
    if (absent.length === 0) return fetched;
    // Those that were seen on the way down are asked of the authority; a `latest` read sees them now.
    const unsure = below.filter((_, index) => fetched[index] === undefined);
    const found = wantsLatest
      ? await shared.findEphemeral(absent)
      : await shared.settleDoubts(unsure.map((one) => one.unsure));
    let next = 0;
    return fetched.map((one) => {
      const record = one === undefined && found !== "unknown" ? found[next++] : undefined;
      if (record === undefined) return one;
      return { tier: shared.tier.name, record, copy: false, atHand: false };
    });
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
