import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { makeCertificates } from "../certificates.ts";
import type { Certificates } from "../certificates.ts";
import { freePort } from "../free-port.ts";
import { ServerProcess } from "../server-process.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import type { TemporaryFolder } from "../temporary-folder.ts";
import { findRedis, redisAvailable } from "./binaries.ts";
import { answers, sendOnce } from "./client.ts";
import type { ClientOptions, RedisReply } from "./client.ts";

const START_ATTEMPTS = 3;

export interface RedisOptions {
  /** Lines of redis.conf, over ours. */
  readonly settings?: { readonly [name: string]: string };
  /** Speaks TLS alone, with these certificates; true: of an authority of its own. */
  readonly tls?: boolean | Certificates;
  /** Rules as ACL SETUSER takes them, by user: `{ app: "on >secret ~cherry:* +@all" }`. */
  readonly aclUsers?: { readonly [user: string]: string };
  /** A certain port rather than a free one. */
  readonly port?: number;
}

/** A Redis of one's own on the loopback, in a temporary folder. */
export interface RedisServer {
  readonly port: number;
  readonly folder: string;
  /** As the default user. */
  readonly url: string;
  /** The authority's certificate of a TLS server. */
  readonly caFile: string | undefined;
  /** Sends a command as the default user, over a connection of its own. */
  command(name: string, ...args: readonly (string | number)[]): Promise<RedisReply>;
  /** Starts it again, on the same port, after `stop` or `kill`. */
  start(): Promise<void>;
  stop(): Promise<void>;
  restart(): Promise<void>;
  /** SIGKILL: a crash. */
  kill(): Promise<void>;
  /** SIGSTOP: connections stay open, nothing answers. */
  pause(): void;
  resume(): void;
  /** Stops it and removes its folder. */
  remove(): Promise<void>;
}

/** Nothing is saved: a restart comes back empty unless the settings say otherwise. */
const SETTINGS = {
  bind: "127.0.0.1",
  save: '""',
  appendonly: "no",
  daemonize: "no",
  databases: "16",
  "repl-diskless-sync-delay": "0",
};

function configuration(
  options: RedisOptions,
  port: number,
  made: Certificates | undefined,
): string {
  const ports =
    made === undefined
      ? { port: String(port) }
      : {
          port: "0",
          "tls-port": String(port),
          "tls-cert-file": made.cert,
          "tls-key-file": made.key,
          "tls-ca-cert-file": made.ca,
          "tls-auth-clients": "no",
          "tls-replication": "yes",
        };
  const lines = Object.entries({ ...SETTINGS, ...ports, ...options.settings });
  const users = Object.entries(options.aclUsers ?? {});
  return [
    ...lines.map(([name, value]) => `${name} ${value}`),
    ...users.map(([user, rules]) => `user ${user} ${rules}`),
    "",
  ].join("\n");
}

class LocalRedis implements RedisServer {
  readonly port: number;
  readonly folder: string;
  readonly url: string;
  readonly caFile: string | undefined;
  readonly #folder: TemporaryFolder;
  readonly #process: ServerProcess;
  readonly #client: ClientOptions;

  constructor(program: string, options: RedisOptions, port: number) {
    this.port = port;
    this.#folder = temporaryFolder("redis");
    this.folder = this.#folder.path;
    const { tls = false } = options;
    const made = typeof tls === "boolean" ? (tls ? makeCertificates(this.folder) : undefined) : tls;
    this.caFile = made?.ca;
    const password = options.settings?.["requirepass"];
    const user = password === undefined ? "" : `:${encodeURIComponent(password)}@`;
    this.url = `${made === undefined ? "redis" : "rediss"}://${user}127.0.0.1:${port}`;
    this.#client = {
      port,
      ...(password === undefined ? {} : { password }),
      ...(made === undefined ? {} : { tls: { ca: readFileSync(made.ca) } }),
    };
    const file = join(this.folder, "redis.conf");
    writeFileSync(file, configuration(options, port, made));
    const ready = (): Promise<boolean> => answers(this.#client);
    this.#process = new ServerProcess({ program, args: [file], folder: this.folder, ready });
  }

  command(name: string, ...args: readonly (string | number)[]): Promise<RedisReply> {
    return sendOnce(this.#client, [name, ...args]);
  }

  start(): Promise<void> {
    return this.#process.start();
  }

  stop(): Promise<void> {
    return this.#process.stop();
  }

  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }

  kill(): Promise<void> {
    return this.#process.kill();
  }

  pause(): void {
    this.#process.pause();
  }

  resume(): void {
    this.#process.resume();
  }

  async remove(): Promise<void> {
    await this.kill();
    this.#folder.remove();
  }
}

/** Starts a Redis of one's own; about 50 ms. It ends with this process at the latest. */
export async function startRedis(options: RedisOptions = {}): Promise<RedisServer> {
  const program = findRedis();
  if (program === undefined) throw new Error(redisAvailable());
  for (let attempt = 1; ; attempt += 1) {
    const server = new LocalRedis(program, options, options.port ?? (await freePort()));
    try {
      await server.start();
      return server;
    } catch (error) {
      await server.remove();
      // Another process may have taken the port between our look and Redis'.
      if (attempt === START_ATTEMPTS) throw error;
    }
  }
}
