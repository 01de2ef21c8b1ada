import { Cluster } from "ioredis";
import type { Redis } from "ioredis";
import type { Metrics, TierOperation } from "../../metrics/metrics.ts";
import type { Clock, Random } from "../../model/clock.ts";
import { MemoryError } from "../../model/errors.ts";
import type { MemoryTier } from "../../model/item.ts";
import { backoffMs } from "../../resilience/backoff.ts";
import { Breaker } from "../../resilience/breaker.ts";
import { makeRedisClient, tlsOptions } from "./redis-client.ts";
import type { RedisClient } from "./redis-client.ts";
import { isUnanswered, redisFault, unanswered, unavailable } from "./redis-faults.ts";
import type { RedisFault } from "./redis-faults.ts";
import { inspectRedis } from "./redis-inspection.ts";
import type { Inspection } from "./redis-inspection.ts";
import { describeTarget } from "./redis-url.ts";
import type { RedisTarget } from "./redis-url.ts";
import { speaksOtherwise } from "./tls-probe.ts";

export interface RedisConnectionOptions {
  readonly target: RedisTarget;
  readonly passwordFile: string | undefined;
  readonly prefix: string;
  readonly commandTimeoutMs: number;
  readonly connectTimeoutMs: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly metrics: Metrics;
  readonly tier: MemoryTier;
}

const FAILURES_MAX = 3;
/** One node that is away must not shut the door to the others: their answers come in between. */
const CLUSTER_FAILURES_MAX = 12;
const OPEN_MS = 200;
const OPEN_MAX_MS = 2000;
const INSPECT_BACKOFF = { firstMs: 100, maxMs: 2000 };
/** A Redis that cannot be used as it is set up may be set up otherwise meanwhile. */
const REINSPECT_MS = 2000;
const CONNECTING = "it is being connected to";
/** How long a lack of room is told of. */
const FULL_FOR_MS = 30_000;
const FULL = "its memory is full (maxmemory), so nothing new is kept there; give it more";

/**
 * The way to Redis: fails at once while it is away, and looks whether it can be used at all before the
 * first command over a new connection. Nothing is sent twice.
 */
export class RedisConnection {
  readonly where: string;
  readonly isCluster: boolean;
  readonly #options: RedisConnectionOptions;
  readonly #client: RedisClient;
  readonly #breaker: Breaker;
  readonly #stop = new AbortController();
  /** Passed the look that was taken since the connection was made. */
  #isUsable = false;
  #fault: RedisFault | undefined;
  #inspection: Inspection | undefined;
  #fullMs = Number.NEGATIVE_INFINITY;
  #generation = 0;
  #tries = 0;
  #firstLook: (() => void) | undefined;

  constructor(options: RedisConnectionOptions) {
    const { target, clock, random, metrics, tier } = options;
    this.#options = options;
    this.where = describeTarget(target);
    this.isCluster = target.mode === "cluster";
    this.#breaker = new Breaker({
      name: `Redis at ${this.where}`,
      clock,
      random,
      failuresMax: this.isCluster ? CLUSTER_FAILURES_MAX : FAILURES_MAX,
      openMs: OPEN_MS,
      openMaxMs: OPEN_MAX_MS,
      onState: (state) => {
        metrics.breaker(tier, state);
        // Looking for ourselves whether it is back spares callers the waits of trials.
        if (state === "open") void this.#inspect();
      },
    });
    // Whoever watches must not take silence for an answer.
    metrics.breaker(tier, this.#breaker.state);
    this.#client = makeRedisClient({
      ...options,
      onRetry: () => {
        metrics.retry(tier, "get");
        this.#notConnected();
      },
    });
    this.#client.on("error", (error: unknown) => this.#note(error));
    this.#client.on("node error", (error: unknown) => this.#note(error));
    this.#client.on("close", () => this.#closed());
    this.#client.on("ready", () => void this.#inspect());
  }

  /** Resolves when Redis can be used, or surely cannot, or after `withinMs`; never rejects. */
  async start(withinMs: number): Promise<void> {
    const looked = new Promise<void>((resolve) => (this.#firstLook = resolve));
    this.#client.connect().catch((error: unknown) => this.#note(error));
    await Promise.race([looked, this.#sleep(withinMs)]);
  }

  /** Why Redis cannot be used now, with the remedy; undefined when it can. */
  get trouble(): string | undefined {
    if (!this.#isUsable) return this.#fault?.reason ?? CONNECTING;
    if (this.#breaker.state !== "closed") return this.#fault?.reason ?? "it did not answer lately";
    return undefined;
  }

  get inspection(): Inspection | undefined {
    return this.#inspection;
  }

  /** That it had no room of late: it answers, and keeps nothing new. */
  get shortage(): string | undefined {
    return this.#options.clock.monotonicMs() - this.#fullMs < FULL_FOR_MS ? FULL : undefined;
  }

  /** What is unwise about this Redis though it works. */
  get warning(): string | undefined {
    return this.#inspection?.warning;
  }

  /** Something was not kept for want of room. */
  noteFull(operation: TierOperation): void {
    const { clock, metrics, tier } = this.#options;
    this.#fullMs = clock.monotonicMs();
    metrics.error(tier, operation, "OOM");
  }

  /** Sends what `send` sends; rejects with STORE_UNAVAILABLE, at once where there is no hope. */
  async run<T>(operation: TierOperation, send: (client: RedisClient) => Promise<T>): Promise<T> {
    return this.#run(operation, send, unavailable);
  }

  /**
   * The same for a change that nobody else keeps: rejects with OUTCOME_UNKNOWN where it was sent and no
   * answer came, so that STORE_UNAVAILABLE means that it was surely not made.
   */
  async change<T>(operation: TierOperation, send: (client: RedisClient) => Promise<T>): Promise<T> {
    return this.#run(operation, send, unanswered);
  }

  /** The nodes that hold keys. */
  masters(): readonly Redis[] {
    const client = this.#client;
    return client instanceof Cluster ? client.nodes("master") : [client];
  }

  close(): void {
    this.#stop.abort(new Error("closed"));
    this.#isUsable = false;
    this.#firstLook?.();
    this.#client.disconnect();
  }

  async #run<T>(
    operation: TierOperation,
    send: (client: RedisClient) => Promise<T>,
    whenUnanswered: typeof unanswered,
  ): Promise<T> {
    const { clock, metrics, tier } = this.#options;
    this.#admit(operation);
    const sentMs = clock.monotonicMs();
    try {
      const reply = await send(this.#client);
      this.#breaker.success();
      metrics.latency(tier, operation, clock.monotonicMs() - sentMs);
      return reply;
    } catch (error) {
      if (error instanceof MemoryError) throw error;
      const fault = this.#failed(operation, error);
      throw (isUnanswered(error) ? whenUnanswered : unavailable)(this.where, fault);
    }
  }

  #admit(operation: TierOperation): void {
    const { metrics, tier } = this.#options;
    if (this.#stop.signal.aborted)
      throw new MemoryError("CLOSED", "the shared cache is closed; open a new manager");
    if (this.#isUsable && this.#client.status === "ready") {
      this.#breaker.admit();
      return;
    }
    const fault = this.#fault;
    metrics.error(tier, operation, (fault?.kind ?? "unreachable").toUpperCase());
    throw new MemoryError(
      "STORE_UNAVAILABLE",
      `Redis at ${this.where} is not used for now, so this call was not sent: ${this.trouble ?? CONNECTING}; it is tried again by itself`,
      { cause: fault?.cause },
    );
  }

  #failed(operation: TierOperation, error: unknown): RedisFault {
    const { metrics, tier } = this.#options;
    const fault = redisFault(error);
    if (fault.kind === "oom") this.noteFull(operation);
    else metrics.error(tier, operation, fault.kind.toUpperCase());
    this.#fault = fault;
    if (fault.away) this.#breaker.failure(fault.cause);
    else this.#breaker.success();
    return fault;
  }

  /** An error of a connection; those of commands come by `run`. */
  #note(error: unknown): void {
    const fault = redisFault(error);
    const known = this.#fault;
    // That a connection ended tells less than why it could not be made.
    const isVague =
      known !== undefined &&
      fault.kind === "unreachable" &&
      (!known.away || fault.reason.includes("Connection is closed"));
    if (!isVague) this.#fault = fault;
    if (!fault.away && !this.#isUsable) this.#firstLook?.();
  }

  #closed(): void {
    // What the last commands met is no reason for what comes now.
    if (this.#isUsable) this.#fault = undefined;
    this.#isUsable = false;
  }

  #notConnected(): void {
    this.#tries += 1;
    // At the first try, and ever more seldom: it may be set up while we try.
    if ((this.#tries & (this.#tries - 1)) === 0) void this.#askWhatItSpeaks();
  }

  /** A server that wants TLS only hangs up on us, and one that does not know it says nothing at all. */
  async #askWhatItSpeaks(): Promise<void> {
    const { target, connectTimeoutMs } = this.#options;
    const [node] = target.nodes;
    if (node === undefined) return;
    const ours = target.tls ? tlsOptions(target.options) : undefined;
    const asked = speaksOtherwise(node, ours, connectTimeoutMs);
    // It only tells more; that there is no connection is known.
    const reason = await asked.catch(() => undefined);
    if (reason === undefined || this.#isUsable) return;
    this.#fault = { kind: "tls", reason, away: false, cause: this.#fault?.cause };
    this.#firstLook?.();
  }

  async #inspect(): Promise<void> {
    this.#generation += 1;
    const generation = this.#generation;
    this.#isUsable = false;
    const { random } = this.#options;
    const isCurrent = (): boolean =>
      generation === this.#generation &&
      !this.#stop.signal.aborted &&
      this.#client.status === "ready";
    for (let attempt = 1; isCurrent(); attempt += 1) {
      const refused = await this.#look(isCurrent);
      if (refused === undefined) return;
      await this.#sleep(refused ? REINSPECT_MS : backoffMs(attempt, INSPECT_BACKOFF, random));
    }
  }

  /** Undefined: it can be used. True: it answers, and cannot be used. False: no answer. */
  async #look(isCurrent: () => boolean): Promise<boolean | undefined> {
    try {
      const inspection = await inspectRedis(this.#client, this.#options.prefix);
      if (!isCurrent()) return false;
      this.#inspection = inspection;
      this.#fault = inspection.refusal;
      if (inspection.isFull) this.noteFull("set");
      this.#firstLook?.();
      if (inspection.refusal !== undefined) return true;
      this.#isUsable = true;
      this.#tries = 0;
      this.#breaker.success();
      return undefined;
    } catch (error) {
      const fault = redisFault(error);
      this.#note(error);
      return !fault.away;
    }
  }

  /** Ends early, without an error, when the connection is closed. */
  async #sleep(delayMs: number): Promise<void> {
    await this.#options.clock.sleep(delayMs, this.#stop.signal).catch(() => undefined);
  }
}
