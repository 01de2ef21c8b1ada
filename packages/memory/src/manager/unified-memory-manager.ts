import { Codec } from "../codec/codec.ts";
import { Copies } from "../coherence/copies.ts";
import { Follower } from "../coherence/follower.ts";
import type { AppliedPoll } from "../coherence/follower.ts";
import { ReadsAhead } from "../coherence/reads-ahead.ts";
import { RecentChanges } from "../coherence/recent-changes.ts";
import { ItemHash } from "../coherence/item-hash.ts";
import { RecentFills } from "../coherence/recent-fills.ts";
import { Sessions } from "../coherence/sessions.ts";
import { SharedCopies } from "../coherence/shared-copies.ts";
import { Validity } from "../coherence/validity.ts";
import type { MemoryConfig } from "../config/config.ts";
import { readKeyFile } from "../config/key-file.ts";
import { environmentConfig } from "../config/environment.ts";
import { resolveConfig } from "../config/resolve.ts";
import type { PartialConfig } from "../config/resolve.ts";
import { noMetrics } from "../metrics/metrics.ts";
import type { Metrics } from "../metrics/metrics.ts";
import { systemClock, systemRandom } from "../model/clock.ts";
import type { Clock, Random } from "../model/clock.ts";
import { MemoryError } from "../model/errors.ts";
import { checkKey, checkNamespace } from "../model/key.ts";
import type { Embedder } from "../recall/embedding/embedder.ts";
import { ItemReader } from "../recall/indexing/document-reader.ts";
import { createAnalyser } from "../recall/text/analyser.ts";
import { createTiers, tiersLeftOut } from "../tiers/factory.ts";
import type { Tiers, TierSurroundings } from "../tiers/factory.ts";
import type { Tier } from "../tiers/tier.ts";
import { AccessLog } from "./access-log.ts";
import { Background } from "./background.ts";
import { BatchPath } from "./batch-path.ts";
import type { Core } from "./core.ts";
import { watchDemotions } from "./demotion.ts";
import { EphemeralPath } from "./ephemeral-path.ts";
import { EphemeralStore } from "./ephemeral-store.ts";
import { Forgetter } from "./forgetter.ts";
import type { MemoryManager, MemoryStats, RawItem, ReadOptions, TierReport } from "./memory.ts";
import { SESSION_READ_OPTIONS, checkOptions } from "./options.ts";
import { MoveLog } from "./move-log.ts";
import { readRaw } from "./present.ts";
import { Doorkeeper } from "./promotion.ts";
import { ReadPath } from "./read-path.ts";
import { openRecallEmbedder } from "./recall/open-recall-embedder.ts";
import type { RecallEmbedder } from "./recall/open-recall-embedder.ts";
import { IndexLoop } from "./recall/index-loop.ts";
import { Runtime } from "./runtime.ts";
import type { Parts } from "./runtime.ts";
import { ScopedMemory } from "./scoped-memory.ts";
import { SingleFlight } from "./single-flight.ts";
import { readStats, reportTiers } from "./stats.ts";
import { WritePath } from "./write-path.ts";

const BYTES_PER_MB = 1024 * 1024;
/** Share of process memory's size that ephemeral items may take beside it. */
const EPHEMERAL_SHARE = 0.25;

/** What a test or an embedder may put in place of the real surroundings. */
export interface ManagerSeams {
  readonly clock?: Clock;
  readonly random?: Random;
  readonly metrics?: Metrics;
  /** Makes the tiers; default `createTiers`. */
  readonly tiers?: (config: MemoryConfig, around: TierSurroundings) => Promise<Tiers>;
  /** Makes the vectors in place of what `embeddings` configures; closed with the memory. */
  readonly embedder?: Embedder;
  /** Told of failures in the background, which nobody awaits. */
  readonly onError?: (error: unknown) => void;
}

/**
 * A memory over all configured tiers. Nothing happens before `initialize()`; `close()` ends all of
 * it and may be called twice. Without a configuration it takes the environment's.
 */
export class UnifiedMemoryManager extends ScopedMemory implements MemoryManager {
  readonly #config: MemoryConfig;
  readonly #around: TierSurroundings;
  readonly #seams: ManagerSeams;
  readonly #startedAtMs: number;
  #follower: Follower | undefined;
  #background: Background | undefined;
  #indexing: IndexLoop | undefined;
  #starting: Promise<void> | undefined;
  #closing: Promise<void> | undefined;

  constructor(config?: PartialConfig, seams: ManagerSeams = {}) {
    const resolved = config === undefined ? environmentConfig() : resolveConfig(config);
    super(new Runtime(resolved.limits), "");
    this.#config = resolved;
    this.#seams = seams;
    this.#around = {
      clock: seams.clock ?? systemClock,
      random: seams.random ?? systemRandom,
      metrics: (resolved.metrics.enabled ? seams.metrics : undefined) ?? noMetrics,
    };
    this.#startedAtMs = this.#around.clock.monotonicMs();
  }

  get config(): MemoryConfig {
    return this.#config;
  }

  /** Opens every tier. After a failure everything is closed again and it may be called once more. */
  initialize(): Promise<void> {
    if (this.runtime.lifecycle === "ready") return Promise.resolve();
    this.#starting ??= this.#open().finally(() => {
      this.#starting = undefined;
    });
    return this.#starting;
  }

  close(): Promise<void> {
    this.#closing ??= this.#shut();
    return this.#closing;
  }

  async getStats(): Promise<MemoryStats> {
    const { core } = this.runtime.parts;
    return readStats(core, this.describeTiers(), this.#startedAtMs);
  }

  async optimize(): Promise<{
    readonly promoted: number;
    readonly demoted: number;
    readonly swept: number;
  }> {
    const { moves } = this.runtime.parts.core;
    const { promoted, demoted } = moves;
    const swept = await this.#background?.round();
    await this.#indexing?.catchUp();
    return {
      promoted: moves.promoted - promoted,
      demoted: moves.demoted - demoted,
      swept: (swept?.copies ?? 0) + (swept?.rows ?? 0),
    };
  }

  describeTiers(): readonly TierReport[] {
    return reportTiers(this.runtime.live?.core, tiersLeftOut(this.#config));
  }

  getRaw(
    path: string,
    key: string,
    options?: Omit<ReadOptions, "session">,
  ): RawItem | Promise<RawItem | undefined> {
    const parts = this.runtime.parts;
    checkOptions(options, SESSION_READ_OPTIONS);
    const { limits } = parts.core.config;
    const ref = { namespace: checkNamespace(path, limits), key: checkKey(key, limits) };
    return readRaw(parts, ref, options);
  }

  readToken(path: string, key: string, item: RawItem | undefined): string {
    const version = item === undefined ? undefined : Number(item.version);
    return this.runtime.parts.core.sessions.tokenOf({ namespace: path, key }, version);
  }

  async #open(): Promise<void> {
    if (this.runtime.lifecycle === "closed")
      throw new MemoryError("CLOSED", "the memory is closed; make a new one");
    const tiers = await (this.#seams.tiers ?? createTiers)(this.#config, this.#around);
    let embedding: RecallEmbedder | undefined;
    try {
      const assembled = this.#assemble(tiers);
      embedding = await openRecallEmbedder(assembled.core, this.#seams);
      const parts: Parts = { ...assembled, embedding };
      const { encryptionKeysFile } = this.#config.security;
      if (encryptionKeysFile !== undefined)
        parts.core.codec.useKeys(await readKeyFile(encryptionKeysFile));
      for (const tier of allOf(tiers)) await tier.initialize();
      await this.#follower?.start();
      await this.#knowEpoch(parts.core);
      this.#startBackground(parts);
      this.runtime.live = parts;
      this.runtime.lifecycle = "ready";
    } catch (error) {
      await this.#follower?.stop();
      await embedding?.embedder.close();
      for (const tier of allOf(tiers)) await tier.close();
      throw error;
    }
  }

  #assemble(tiers: Tiers): Omit<Parts, "embedding"> {
    const { clock, random, metrics } = this.#around;
    const { L1 } = this.#config.tiers;
    const { maxStalenessMs } = this.#config;
    const { exclusive } = tiers.authority;
    const hash = new ItemHash(random);
    const fills = exclusive ? undefined : new RecentFills({ hash, clock, boundMs: maxStalenessMs });
    const readsAhead = exclusive || tiers.shared === undefined ? undefined : new ReadsAhead(hash);
    const copies = new Copies(tiers, fills && { fills, readsAhead });
    const sessions = new Sessions(fills);
    const validity = new Validity(clock, maxStalenessMs);
    const codec = new Codec({ encryptionKeys: this.#config.security.encryptionKeys });
    const core: Core = {
      config: this.#config,
      clock,
      random,
      metrics,
      codec,
      reader: new ItemReader({
        codec,
        analyser: createAnalyser({ language: this.#config.recall.language }),
      }),
      writes: { count: 0 },
      copies,
      validity,
      sessions,
      authority: tiers.authority,
      vectors: tiers.vectors,
      readsAhead,
      shared: this.#follow(tiers, { copies, validity, sessions, fills, readsAhead, hash }),
      ephemeral: tiers.authority.exclusive
        ? new EphemeralStore({
            maxBytes: Math.ceil(L1.maxSizeMb * BYTES_PER_MB * EPHEMERAL_SHARE),
            clock,
          })
        : undefined,
      accesses: new AccessLog(clock),
      moves: new MoveLog(clock, metrics),
      doorkeeper: new Doorkeeper(),
      flights: new SingleFlight(),
    };
    const read = new ReadPath(core);
    const write = new WritePath(core);
    const ephemeral = new EphemeralPath(core);
    watchDemotions(core, tiers);
    return {
      core,
      read,
      write,
      ephemeral,
      batch: new BatchPath({ core, read, write, ephemeral }),
      forgetter: new Forgetter(core, ephemeral),
    };
  }

  /** Reads the change log where other servers may write, and judges the shared tier by it. */
  #follow(
    tiers: Tiers,
    {
      copies,
      validity,
      sessions,
      fills,
      readsAhead,
      hash,
    }: Pick<Core, "copies" | "validity" | "sessions" | "readsAhead"> & {
      readonly fills: RecentFills | undefined;
      readonly hash: ItemHash;
    },
  ): SharedCopies | undefined {
    const { authority, shared: tier } = tiers;
    if (authority.exclusive) {
      validity.proveForever();
      return undefined;
    }
    const { clock } = this.#around;
    const onError = this.#seams.onError ?? ((): void => {});
    const onApplied = (poll: AppliedPoll): void => fills?.applied(poll);
    const watch = { authority, copies, validity, clock, onError, onApplied };
    if (tier === undefined || readsAhead === undefined || fills === undefined) {
      this.#follower = new Follower(watch);
      sessions.follow(this.#follower);
      return undefined;
    }
    const recent = new RecentChanges({ hash });
    const follower = new Follower({
      ...watch,
      recent,
      onEpoch: (epoch) => {
        tier.useEpoch(epoch);
      },
      onApplied: (poll) => {
        onApplied(poll);
        readsAhead.applied();
      },
    });
    this.#follower = follower;
    sessions.follow(follower);
    return new SharedCopies({
      tier,
      copies,
      hash,
      recent,
      readsAhead,
      fills,
      clock,
      onError,
      isProven: () => validity.holds(),
      applied: () => follower.applied,
      newestVersions: (known) => authority.newestVersions(known),
      onWake: () => {
        follower.poll().catch(onError);
      },
    });
  }

  /** A token names the epoch also where nobody else writes: it may come back after a restore. */
  async #knowEpoch({ authority, sessions }: Core): Promise<void> {
    if (!authority.exclusive) return;
    const { epoch } = await authority.follow(undefined);
    sessions.proveForever(epoch);
  }

  #startBackground(parts: Parts): void {
    const onError = this.#seams.onError ?? ((): void => {});
    this.#background = new Background({ core: parts.core, forgetter: parts.forgetter, onError });
    const { keywords } = parts.core.authority;
    if (keywords !== undefined)
      this.#indexing = new IndexLoop({ core: parts.core, index: keywords, onError });
    if (!this.#config.optimization.enabled) return;
    this.#background.start();
    this.#indexing?.start();
  }

  async #shut(): Promise<void> {
    await this.#starting?.catch(() => {
      // A failed start has closed everything already.
    });
    const { live } = this.runtime;
    this.runtime.lifecycle = "closed";
    this.runtime.live = undefined;
    live?.forgetter.stop();
    await this.#background?.stop();
    await this.#indexing?.stop();
    await this.#follower?.stop();
    if (live === undefined) return;
    const { copies, authority, shared, vectors } = live.core;
    // Calls under way end with their own answers: the authority waits for them, and sealed copies
    // take what they settle for nothing.
    copies.seal();
    await vectors?.close();
    await live.embedding.embedder.close();
    await authority.close();
    await shared?.tier.close();
    await copies.objects?.close();
    await copies.bytes?.close();
  }
}

function allOf({ objects, bytes, shared, authority, vectors }: Tiers): readonly Tier[] {
  return [objects, bytes, shared, authority, vectors].filter((tier) => tier !== undefined);
}
