import type { Metrics } from "../../metrics/metrics.ts";
import { noMetrics } from "../../metrics/metrics.ts";
import type { Clock, Random } from "../../model/clock.ts";
import { MemoryError } from "../../model/errors.ts";
import { MemoryTier } from "../../model/item.ts";
import type { ItemRef } from "../../model/item.ts";
import type {
  BusMessage,
  EphemeralPut,
  EphemeralResult,
  LeaseRequest,
  LeaseToken,
  SettledChange,
  SettleOutcome,
  SharedCopy,
  SharedEntry,
  SharedTier,
} from "../shared.ts";
import type { TierCapabilities, TierHealth, TierUsage } from "../tier.ts";
import { encodeClear, encodeWake } from "./bus-message.ts";
import { EphemeralItems } from "./ephemeral-items.ts";
import { RedisBus } from "./redis-bus.ts";
import { RedisConnection } from "./redis-connection.ts";
import { RedisCopies } from "./redis-copies.ts";
import { RedisNames } from "./redis-names.ts";
import { parseRedisUrl } from "./redis-url.ts";

export interface RedisTierOptions {
  /** redis://, redis-cluster:// or redis-sentinel://, each also with "rediss" for TLS. */
  readonly url: string;
  /** Holds the password alone, read for every new connection; the URL then carries none. */
  readonly passwordFile?: string;
  /** Memories with different prefixes share a Redis and see nothing of each other. */
  readonly prefix?: string;
  /** One command, from sending to its answer. */
  readonly commandTimeoutMs?: number;
  readonly connectTimeoutMs?: number;
  /** How long `initialize` waits for a Redis that is not there; it goes on without. */
  readonly startTimeoutMs?: number;
  /** Whether to hear what other servers announce. Without it the log alone tells. */
  readonly bus?: boolean;
  /** The longest life of a copy; each lives a little shorter, by chance. At most an hour. */
  readonly copyLifeMs?: number;
  /** How long one reader has the right to fill a key. */
  readonly leaseMs?: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly metrics?: Metrics;
}

const HOUR_MS = 3_600_000;
const PREFIX = "cherry";
const COMMAND_TIMEOUT_MS = 250;
const CONNECT_TIMEOUT_MS = 1000;
const START_TIMEOUT_MS = 1500;
const LEASE_MS = 10_000;

/**
 * Redis as the tier that all servers share. What it holds is never believed without proof
 * (docs/decisions/006); what is kept here is that each step is one command, that nothing is sent
 * twice, and that a Redis which is away, slow or full costs little and breaks nothing.
 */
export class RedisTier implements SharedTier {
  readonly name: MemoryTier = MemoryTier.L2_SHARED_MEMORY;
  readonly capabilities: TierCapabilities = {
    role: "copy",
    holds: "bytes",
    synchronous: false,
    shared: true,
    durable: false,
    ephemeral: true,
  };
  readonly #connection: RedisConnection;
  readonly #bus: RedisBus | undefined;
  readonly #copies: RedisCopies;
  readonly #ephemeral: EphemeralItems;
  readonly #prefix: string;
  readonly #startTimeoutMs: number;
  #names: RedisNames | undefined;
  #isClosed = false;

  constructor(options: RedisTierOptions) {
    const target = parseRedisUrl(options.url);
    const connecting = {
      target,
      passwordFile: options.passwordFile,
      prefix: options.prefix ?? PREFIX,
      commandTimeoutMs: options.commandTimeoutMs ?? COMMAND_TIMEOUT_MS,
      connectTimeoutMs: options.connectTimeoutMs ?? CONNECT_TIMEOUT_MS,
      clock: options.clock,
      random: options.random,
      metrics: options.metrics ?? noMetrics,
      tier: this.name,
    };
    this.#prefix = connecting.prefix;
    this.#startTimeoutMs = options.startTimeoutMs ?? START_TIMEOUT_MS;
    this.#connection = new RedisConnection(connecting);
    const { clock } = options;
    this.#bus =
      options.bus === false
        ? undefined
        : new RedisBus({ ...connecting, sleep: (delayMs) => clock.sleep(delayMs) });
    const names = (): RedisNames => this.#namesNow();
    this.#copies = new RedisCopies({
      connection: this.#connection,
      names,
      clock,
      random: options.random,
      copyLifeMs: Math.min(options.copyLifeMs ?? HOUR_MS, HOUR_MS),
      markerLifeMs: HOUR_MS,
      leaseMs: options.leaseMs ?? LEASE_MS,
    });
    this.#ephemeral = new EphemeralItems(this.#connection, names);
  }

  async initialize(): Promise<void> {
    this.#bus?.start();
    await this.#connection.start(this.#startTimeoutMs);
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#bus?.close();
    this.#connection.close();
  }

  health(): TierHealth {
    if (this.#isClosed) return { status: "closed", reason: "closed" };
    const { trouble, shortage, warning, where } = this.#connection;
    const fault = trouble ?? shortage;
    if (fault !== undefined) return { status: "degraded", reason: `Redis at ${where}: ${fault}` };
    const deaf = this.#bus?.trouble;
    if (deaf !== undefined)
      return { status: "degraded", reason: `Redis at ${where}: its bus cannot be heard: ${deaf}` };
    return {
      status: "ready",
      ...(warning === undefined ? {} : { warning: `Redis at ${where}: ${warning}` }),
    };
  }

  usage(): TierUsage {
    const { hits, misses } = this.#copies;
    const { usedBytes = 0, maxBytes = 0 } = this.#connection.inspection ?? {};
    return {
      items: 0,
      bytes: usedBytes,
      maxBytes,
      maxItems: 0,
      hits,
      misses,
      evictions: 0,
      expirations: 0,
    };
  }

  useEpoch(epoch: string): void {
    const names = new RedisNames(this.#prefix, epoch);
    this.#names = names;
    this.#bus?.listenTo(names.channel);
  }

  findMany(refs: readonly ItemRef[]): Promise<readonly (SharedEntry | undefined)[]> {
    return this.#copies.findMany(refs);
  }

  lease(requests: readonly LeaseRequest[]): Promise<readonly (LeaseToken | undefined)[]> {
    return this.#copies.lease(requests);
  }

  fill(
    copies: readonly (SharedCopy & { readonly lease: LeaseToken })[],
  ): Promise<readonly boolean[]> {
    return this.#copies.fill(copies);
  }

  release(leases: readonly (ItemRef & { readonly lease: LeaseToken })[]): Promise<void> {
    return this.#copies.release(leases);
  }

  settle(changes: readonly SettledChange[]): Promise<readonly SettleOutcome[]> {
    return this.#copies.settle(changes);
  }

  async announce(
    clear:
      { readonly namespace: string; readonly below: boolean; readonly version: number } | undefined,
  ): Promise<void> {
    const { channel } = this.#namesNow();
    const text = clear === undefined ? encodeWake() : encodeClear(clear);
    await this.#connection.run("set", (client) => client.publish(channel, text));
  }

  // Async, so that an epoch that is not set rejects rather than throws.
  async putEphemeral(put: EphemeralPut): Promise<EphemeralResult> {
    return this.#ephemeral.put(put);
  }

  async removeEphemeral(
    ref: ItemRef,
    condition: EphemeralPut["condition"],
  ): Promise<EphemeralResult> {
    return this.#ephemeral.remove(ref, condition);
  }

  async touchEphemeral(
    ref: ItemRef,
    ttlMs: number | undefined,
    condition: EphemeralPut["condition"],
  ): Promise<EphemeralResult> {
    return this.#ephemeral.touch(ref, ttlMs, condition);
  }

  async proveEphemeral(
    ref: ItemRef,
    proof: { readonly version: number; readonly provenAt: number; readonly baseVersion: number },
  ): Promise<void> {
    await this.#ephemeral.prove(ref, proof);
  }

  async removeEphemeralWhere(
    scope: { readonly namespace: string; readonly below: boolean },
    matches: (ref: ItemRef) => boolean,
  ): Promise<number> {
    return this.#ephemeral.removeWhere(scope, matches);
  }

  onMessage(listener: (message: BusMessage) => void): void {
    this.#bus?.onMessage(listener);
  }

  #namesNow(): RedisNames {
    if (this.#names !== undefined) return this.#names;
    throw new MemoryError(
      "NOT_INITIALIZED",
      "the shared cache does not know the database's epoch yet; wait for initialize()",
    );
  }
}
