import { Cluster, Redis } from "ioredis";
import type { ClusterOptions, RedisOptions } from "ioredis";
import { readFileSync } from "node:fs";
import type { ConnectionOptions } from "node:tls";
import { MemoryError } from "../../model/errors.ts";
import type { Random } from "../../model/clock.ts";
import { passwordFrom } from "./password-file.ts";
import type { RedisTarget, RedisUrlOptions } from "./redis-url.ts";

export type RedisClient = Redis | Cluster;

export interface RedisClientOptions {
  readonly target: RedisTarget;
  readonly passwordFile: string | undefined;
  readonly commandTimeoutMs: number;
  readonly connectTimeoutMs: number;
  readonly random: Random;
  /** Called for each new try after a connection was lost or not made. */
  readonly onRetry?: () => void;
}

const RECONNECT_FIRST_MS = 50;
const RECONNECT_MAX_MS = 2000;
const KEEP_ALIVE_DELAY_MS = 5000;
/** How long a connection that we close may take to end in order; a process cannot end before. */
const DISCONNECT_TIMEOUT_MS = 200;
/** A connection over which nothing comes for so long, though something is awaited, is given up. */
const SILENCE_TIMEOUTS = 8;
const SILENCE_MIN_MS = 2000;
/** MOVED and ASK: a command that was redirected has not been carried out. */
const REDIRECTIONS_MAX = 4;
const SLOTS_REFRESH_MS = 5000;

/** Half of each pause is chance, so that many servers do not come back in step. */
function reconnectPause(random: Random, attempt: number): number {
  const pauseMs = Math.min(RECONNECT_MAX_MS, RECONNECT_FIRST_MS * 2 ** Math.min(attempt - 1, 10));
  return Math.ceil(pauseMs * (0.5 + random() / 2));
}

function readPem(file: string, option: string): Buffer {
  try {
    return readFileSync(file);
  } catch (cause) {
    throw new MemoryError(
      "INVALID_CONFIG",
      `REDIS_URL names the file ${JSON.stringify(file)} as ${option}, which cannot be read; expected a PEM file`,
      { field: "REDIS_URL", cause },
    );
  }
}

export function tlsOptions({ ca, cert, key, servername }: RedisUrlOptions): ConnectionOptions {
  return {
    ...(ca === undefined ? {} : { ca: readPem(ca, "ca") }),
    ...(cert === undefined ? {} : { cert: readPem(cert, "cert") }),
    ...(key === undefined ? {} : { key: readPem(key, "key") }),
    ...(servername === undefined ? {} : { servername }),
  };
}

/**
 * A server that became a replica stays one as long as we keep the connection; another one may lead to
 * the new master. The command itself is not sent again.
 */
function isDemoted(error: Error): boolean {
  return error.message.includes("READONLY");
}

/**
 * What all connections have in common. Nothing is queued while there is no connection and nothing is
 * sent twice: a command whose answer did not come is the caller's to judge.
 */
function commonOptions(options: RedisClientOptions): RedisOptions {
  const { target, commandTimeoutMs, connectTimeoutMs } = options;
  return {
    ...(target.username === undefined ? {} : { username: target.username }),
    ...(target.password === undefined ? {} : { password: target.password }),
    ...(target.tls ? { tls: tlsOptions(target.options) } : {}),
    protocol: 2,
    disableClientInfo: true,
    lazyConnect: true,
    enableReadyCheck: false,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    autoResubscribe: false,
    maxRetriesPerRequest: 0,
    commandTimeout: commandTimeoutMs,
    socketTimeout: Math.max(SILENCE_MIN_MS, commandTimeoutMs * SILENCE_TIMEOUTS),
    connectTimeout: connectTimeoutMs,
    disconnectTimeout: DISCONNECT_TIMEOUT_MS,
    keepAlive: KEEP_ALIVE_DELAY_MS,
    reconnectOnError: isDemoted,
  };
}

/** Puts the file in the place of the password that was there when the options were made. */
function readPasswordEachTime(options: object, file: string | undefined): void {
  if (file === undefined) return;
  Object.defineProperty(options, "password", {
    configurable: true,
    enumerable: true,
    get: () => passwordFrom(file),
  });
}

/** The driver's own type has an optional member where its constructor takes none that is undefined. */
type NodeOptions = NonNullable<ClusterOptions["redisOptions"]> & { replyMapping: "legacy" };

function makeCluster(options: RedisClientOptions): Cluster {
  const { target, random, onRetry, passwordFile } = options;
  const { enableOfflineQueue: _queue, ...common } = commonOptions(options);
  const redisOptions: NodeOptions = { ...common, replyMapping: "legacy" };
  readPasswordEachTime(redisOptions, passwordFile);
  const clusterOptions: ClusterOptions & { redisOptions: NodeOptions } = {
    redisOptions,
    lazyConnect: true,
    enableOfflineQueue: false,
    enableReadyCheck: true,
    maxRedirections: REDIRECTIONS_MAX,
    retryDelayOnFailover: 0,
    retryDelayOnClusterDown: 0,
    slotsRefreshTimeout: options.connectTimeoutMs,
    slotsRefreshInterval: SLOTS_REFRESH_MS,
    clusterRetryStrategy: (attempt) => {
      onRetry?.();
      return reconnectPause(random, attempt);
    },
    // Certificates are for names: a name that became an address would not be found in them.
    ...(target.tls ? { dnsLookup: (address, callback) => callback(null, address) } : {}),
  };
  return new Cluster([...target.nodes], clusterOptions);
}

function makeSingle(options: RedisClientOptions): Redis {
  const { target, random, onRetry, passwordFile } = options;
  const [node] = target.nodes;
  const client = new Redis({
    ...commonOptions(options),
    ...(target.mode === "sentinel" ? sentinelOptions(options) : node),
    db: target.db,
    replyMapping: "legacy",
    retryStrategy: (attempt: number) => {
      onRetry?.();
      return reconnectPause(random, attempt);
    },
  });
  readPasswordEachTime(client.options, passwordFile);
  return client;
}

function sentinelOptions(options: RedisClientOptions): RedisOptions {
  const { target, connectTimeoutMs, random, onRetry } = options;
  const { sentinelUser, sentinelPassword } = target.options;
  return {
    sentinels: target.nodes.map((node) => ({ ...node })),
    name: target.masterName ?? "",
    ...(sentinelUser === undefined ? {} : { sentinelUsername: sentinelUser }),
    ...(sentinelPassword === undefined ? {} : { sentinelPassword }),
    ...(target.tls
      ? { enableTLSForSentinelMode: true, sentinelTLS: tlsOptions(target.options) }
      : {}),
    sentinelCommandTimeout: connectTimeoutMs,
    sentinelRetryStrategy: (attempt) => {
      onRetry?.();
      return reconnectPause(random, attempt);
    },
    // Sentinels say at once when they have chosen another master.
    failoverDetector: true,
    // Asks the server whether it is the master that the sentinels took it for.
    enableReadyCheck: true,
  };
}

/** A client that is not yet connected. */
export function makeRedisClient(options: RedisClientOptions): RedisClient {
  return options.target.mode === "cluster" ? makeCluster(options) : makeSingle(options);
}
