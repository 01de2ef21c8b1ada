import pg from "pg";
import { MemoryError } from "../../model/errors.ts";
import { Breaker } from "../../resilience/breaker.ts";
import { Gate } from "../../resilience/gate.ts";
import type { BreakerState } from "../../resilience/breaker.ts";
import type { Clock, Random } from "../../model/clock.ts";
import { clientWithPasswordFile } from "./pg-password.ts";
import { describeTarget } from "./pg-target.ts";
import { pgTypes } from "./pg-types.ts";
import { PgWatch } from "./pg-watch.ts";
import { answersAtAll, cancelStatement } from "./pg-wire.ts";
import type { PgTarget } from "./pg-target.ts";
import type { Watched } from "./pg-watch.ts";
import type { DriverValue } from "./pg-values.ts";

export interface PgPoolOptions {
  readonly url: string;
  readonly target: PgTarget;
  readonly passwordFile: string | undefined;
  readonly connectionsMax: number;
  readonly connectTimeoutMs: number;
  /** How long a call may wait for one of the connections while all are busy. */
  readonly acquireTimeoutMs: number;
  readonly waitersMax: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly onBreaker: (state: BreakerState) => void;
}

/** What goes to the driver. Without name and values several statements may stand in `text`. */
export interface Exchange {
  readonly text: string;
  readonly name?: string;
  readonly values?: DriverValue[];
  /** One statement only, by the extended protocol. */
  readonly queryMode?: "extended";
}

interface ConnectionState {
  readonly createdMs: number;
  lastUsedMs: number;
  broken: boolean;
}

const IDLE_TIMEOUT_MS = 30_000;
/** Renewed now and then, so that a fail-over behind one name or a new password reaches all. */
const LIFETIME_MS = 1_800_000;
const SWEEP_EVERY_MS = 10_000;
const KEEP_ALIVE_DELAY_MS = 5000;
/** A connection idle for longer is asked whether it lives before a statement is risked on it. */
const PING_AFTER_IDLE_MS = 2000;
const PING_TIMEOUT_MS = 200;
/** Together a second, in which a caller must hear that the server is gone. */
const TICK_MS = 50;
const SUSPECT_MS = 250;
const PROBE_TIMEOUTS = { connectMs: 300, answerMs: 600 };
const PROBE_EVERY_MS = 1000;
const CANCEL_TIMEOUT_MS = 1000;
const FAILURES_MAX = 3;
const OPEN_MS = 200;
const OPEN_MAX_MS = 2000;

/**
 * Connections to one PostgreSQL, each used by one call at a time. Every wait is bounded: for a free
 * connection, for a new one, for an answer. While the server is away calls fail at once.
 */
export class PgPool {
  readonly #options: PgPoolOptions;
  readonly #pool: pg.Pool;
  readonly #gate: Gate;
  readonly #breaker: Breaker;
  readonly #watch: PgWatch;
  readonly #states = new Map<pg.PoolClient, ConnectionState>();
  /**
   * Connections at rest, the last used at the end. They stay taken from the driver's pool, which
   * would set a timer, emit two events and wait for a tick each time one is passed through it.
   */
  readonly #resting: pg.PoolClient[] = [];
  readonly #stop = new AbortController();
  #sweeping = false;
  readonly #where: string;
  /** Connections last used before this are dropped unasked: one of their age was dead. */
  #distrustBeforeMs = -Infinity;
  #closed: Promise<void> | undefined;

  constructor(options: PgPoolOptions) {
    const { clock, random } = options;
    this.#options = options;
    this.#where = `PostgreSQL at ${describeTarget(options.target)}`;
    this.#gate = new Gate({
      clock,
      permits: options.connectionsMax,
      waitersMax: options.waitersMax,
      waitTimeoutMs: options.acquireTimeoutMs,
      refuse: (why) =>
        new MemoryError(
          "STORE_UNAVAILABLE",
          `all ${options.connectionsMax} connections to ${this.#where} are busy: ${why}; nothing was sent, retry later or raise the connection budget`,
        ),
    });
    this.#breaker = new Breaker({
      name: this.#where,
      clock,
      random,
      failuresMax: FAILURES_MAX,
      openMs: OPEN_MS,
      openMaxMs: OPEN_MAX_MS,
      onState: (state) => {
        options.onBreaker(state);
        if (state === "open") this.#gate.rejectWaiters(this.#breaker.refusal());
      },
    });
    // Whoever watches must not take silence for an answer.
    options.onBreaker(this.#breaker.state);
    this.#watch = new PgWatch({
      clock,
      tickMs: TICK_MS,
      suspectMs: SUSPECT_MS,
      probeEveryMs: PROBE_EVERY_MS,
      probe: () => answersAtAll(options.target, clock, PROBE_TIMEOUTS),
      onSilent: (reason) => this.#silent(reason),
    });
    this.#pool = this.#createPool();
  }

  /**
   * A connection for the caller alone that is at hand and surely usable; undefined: `acquire` one.
   * Makes no promise, each of which costs a read a hundredth of its time.
   */
  tryAcquire(): pg.PoolClient | undefined {
    if (this.#closed !== undefined || this.#breaker.state !== "closed") return undefined;
    const client = this.#resting.at(-1);
    if (client === undefined || !this.#isFresh(client) || !this.#gate.tryEnter()) return undefined;
    this.#resting.pop();
    return client;
  }

  /** A connection for the caller alone, to be given back by `release`. Nothing was sent if it throws. */
  async acquire(): Promise<pg.PoolClient> {
    if (this.#closed !== undefined) throw this.#closedError();
    this.#breaker.admit();
    if (!this.#gate.tryEnter()) await this.#gate.enter();
    try {
      return await this.#connect();
    } catch (error) {
      this.#gate.leave();
      throw error;
    }
  }

  release(client: pg.PoolClient): void {
    const state = this.#states.get(client);
    const nowMs = this.#options.clock.monotonicMs();
    if (state !== undefined) state.lastUsedMs = nowMs;
    const old = state === undefined || nowMs - state.createdMs > LIFETIME_MS;
    if (old || state.broken || this.#closed !== undefined) {
      this.#giveBack(client, state?.broken !== false);
    } else {
      this.#resting.push(client);
      if (!this.#sweeping) void this.#sweep();
    }
    this.#gate.leave();
  }

  /** The connection is not used for another call. */
  condemn(client: pg.PoolClient): void {
    const state = this.#states.get(client);
    if (state !== undefined) state.broken = true;
  }

  /** True when nothing can be sent on it any more. */
  isBroken(client: pg.PoolClient): boolean {
    return this.#states.get(client)?.broken !== false;
  }

  /** Sends one exchange and waits for its end, at most `timeoutMs`. */
  exchange(client: pg.PoolClient, exchange: Exchange, timeoutMs: number): Promise<pg.QueryResult> {
    const startedMs = this.#options.clock.monotonicMs();
    const watched: Watched = {
      startedMs,
      deadlineMs: startedMs + timeoutMs,
      abort: (reason) => void client.connection.stream.destroy(reason),
      cancel: () => this.#cancel(client),
    };
    this.#watch.add(watched);
    // The driver's own promise is three, and each read waits for all of them.
    return new Promise((resolve, reject) => {
      const end = (error: Error | null | undefined, result: pg.QueryResult): void => {
        this.#watch.remove(watched);
        // An error of the server's is an answer too.
        if (!error || error instanceof pg.DatabaseError) this.#breaker.success();
        if (error) reject(error);
        else resolve(result);
      };
      client.query(exchange, end);
    });
  }

  /** Waits for calls under way (each is bounded), then ends all connections. Safe to call twice. */
  close(): Promise<void> {
    this.#closed ??= this.#end();
    return this.#closed;
  }

  #createPool(): pg.Pool {
    const { url, passwordFile, connectionsMax, connectTimeoutMs, clock } = this.#options;
    const pool = new pg.Pool({
      connectionString: url,
      // Accepted by poolers, unlike `options` and the timeouts that the driver would send at startup.
      application_name: "cherry-memory",
      max: connectionsMax,
      connectionTimeoutMillis: connectTimeoutMs,
      idleTimeoutMillis: IDLE_TIMEOUT_MS,
      keepAlive: true,
      keepAliveInitialDelayMillis: KEEP_ALIVE_DELAY_MS,
      types: pgTypes,
      ...(passwordFile === undefined ? {} : { Client: clientWithPasswordFile(passwordFile) }),
    });
    // An idle connection broke: the pool has dropped it. Unheard, the event would end the process.
    pool.on("error", () => {});
    pool.on("connect", (client) => {
      const createdMs = clock.monotonicMs();
      const state: ConnectionState = { createdMs, lastUsedMs: createdMs, broken: false };
      this.#states.set(client, state);
      const fail = (): void => {
        state.broken = true;
      };
      client.on("error", fail);
      client.on("end", fail);
    });
    pool.on("remove", (client) => this.#states.delete(client));
    return pool;
  }

  async #connect(): Promise<pg.PoolClient> {
    for (;;) {
      const client = this.#resting.pop() ?? (await this.#connectOnce());
      if (this.#isFresh(client)) return client;
      const lastUsedMs = this.#states.get(client)?.lastUsedMs ?? -Infinity;
      if (this.isBroken(client) || lastUsedMs < this.#distrustBeforeMs) {
        this.#giveBack(client, true);
      } else if (await this.#lives(client)) {
        return client;
      }
    }
  }

  /** Needs no question whether it lives. */
  #isFresh(client: pg.PoolClient): boolean {
    const state = this.#states.get(client);
    return (
      state !== undefined &&
      !state.broken &&
      state.lastUsedMs >= this.#distrustBeforeMs &&
      this.#options.clock.monotonicMs() - state.lastUsedMs < PING_AFTER_IDLE_MS
    );
  }

  async #connectOnce(): Promise<pg.PoolClient> {
    try {
      return await this.#pool.connect();
    } catch (cause) {
      if (this.#closed !== undefined) throw this.#closedError();
      this.#breaker.failure(cause);
      throw cause;
    }
  }

  /** False: the connection is gone. Throws when the server does not answer at all. */
  async #lives(client: pg.PoolClient): Promise<boolean> {
    const { clock, target } = this.#options;
    try {
      await this.exchange(client, { text: "SELECT 1" }, PING_TIMEOUT_MS);
      return true;
    } catch (cause) {
      this.#giveBack(client, true);
      this.#distrustBeforeMs = clock.monotonicMs() - PING_AFTER_IDLE_MS;
      if (await answersAtAll(target, clock, PROBE_TIMEOUTS)) return false;
      const reason = new Error("the server stopped answering", { cause });
      this.#silent(reason);
      throw reason;
    }
  }

  #silent(reason: Error): void {
    this.#distrustBeforeMs = this.#options.clock.monotonicMs();
    this.#breaker.trip(reason);
  }

  /** Lets go of connections that have rested for long; runs while any rest. */
  async #sweep(): Promise<void> {
    const { clock } = this.#options;
    this.#sweeping = true;
    while (this.#resting.length > 0) {
      try {
        await clock.sleep(SWEEP_EVERY_MS, this.#stop.signal);
      } catch {
        break;
      }
      const nowMs = clock.monotonicMs();
      const idle = (client: pg.PoolClient): boolean =>
        this.isBroken(client) ||
        nowMs - (this.#states.get(client)?.lastUsedMs ?? 0) > IDLE_TIMEOUT_MS;
      const rested = this.#resting.filter(idle);
      this.#resting.splice(0, Infinity, ...this.#resting.filter((client) => !idle(client)));
      for (const client of rested) this.#giveBack(client, true);
    }
    this.#sweeping = false;
  }

  /** Without the gate. A broken one is torn down: a farewell would wait for a peer that is gone. */
  #giveBack(client: pg.PoolClient, broken: boolean): void {
    if (broken) client.connection.stream.destroy();
    client.release(broken);
  }

  #cancel(client: pg.PoolClient): void {
    const { target, clock } = this.#options;
    const { processID, secretKey } = client as { processID?: unknown; secretKey?: unknown };
    if (typeof processID !== "number" || typeof secretKey !== "number") return;
    const key = { processId: processID, secretKey };
    // Otherwise a statement that waits for a lock would hold a server connection beyond the budget.
    cancelStatement(target, key, clock, CANCEL_TIMEOUT_MS).catch(() => {});
  }

  async #end(): Promise<void> {
    this.#gate.rejectWaiters(this.#closedError());
    this.#stop.abort();
    for (const client of this.#resting.splice(0)) this.#giveBack(client, this.isBroken(client));
    await this.#pool.end();
    this.#watch.stop();
    for (const client of this.#states.keys()) client.connection.stream.destroy();
  }

  #closedError(): MemoryError {
    return new MemoryError("CLOSED", `the connection pool of ${this.#where} was closed`);
  }
}
