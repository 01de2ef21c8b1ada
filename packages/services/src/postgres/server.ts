import { execFile, spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { chownSync, closeSync, mkdirSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { freePort } from "../free-port.ts";
import { guardProcess } from "../guard.ts";
import type { Guard } from "../guard.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { waitUntil } from "../wait.ts";
import { answers, createDatabase } from "./answers.ts";
import { findPostgres } from "./binaries.ts";
import type { PostgresBinaries } from "./binaries.ts";
import { isAlive, killTree } from "./processes.ts";

const run = promisify(execFile);
const START_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 30_000;
const START_ATTEMPTS = 3;
const LOG_TAIL_CHARACTERS = 2_000;

export interface PostgresOptions {
  /** Lines of postgresql.conf, over ours. `{ fsync: "off" }` is faster and not safe in a power cut. */
  readonly settings?: { readonly [name: string]: string };
}

/** A PostgreSQL of one's own on the loopback, in a temporary folder. */
export interface PostgresServer {
  readonly port: number;
  /** Holds the data folder and `postgres.log`. */
  readonly folder: string;
  /** The database `postgres`, as a superuser. */
  readonly url: string;
  /** Creates an empty database and returns its URL. */
  databaseUrl(name: string): Promise<string>;
  /** Starts it again, on the same port, after `stop` or `kill`. */
  start(): Promise<void>;
  /** Ends it in order; the data stays until the process exits or `remove`. */
  stop(): Promise<void>;
  restart(): Promise<void>;
  /** SIGKILL to the server and all its backends: a crash. */
  kill(): Promise<void>;
  /** Stops it and removes its folder. */
  remove(): Promise<void>;
}

const SETTINGS = {
  listen_addresses: "127.0.0.1",
  unix_socket_directories: "",
  max_connections: "200",
  timezone: "UTC",
  log_min_messages: "warning",
};

/**
 * Makes the data folder. The default collation is a language's, where this build has any, because
 * that is what servers out there have: SQL that relies on byte order must say so itself.
 */
async function initialize(binaries: PostgresBinaries, dataFolder: string): Promise<void> {
  const initdb = join(binaries.folder, "initdb");
  const base = ["-D", dataFolder, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync"];
  const options = { cwd: "/", ...binaries.runAs };
  try {
    await run(
      initdb,
      [...base, "--locale=C", "--locale-provider=icu", "--icu-locale=en-US"],
      options,
    );
  } catch {
    // Built without ICU, or before version 15. initdb removes what it began.
    await run(initdb, [...base, "--locale=C"], options);
  }
}

class LocalPostgres implements PostgresServer {
  readonly port: number;
  readonly url: string;
  readonly folder: string;
  readonly #binaries: PostgresBinaries;
  readonly #removeFolder: () => void;
  readonly #settings: { readonly [name: string]: string };
  #child: ChildProcess | undefined;
  #guard: Guard | undefined;

  constructor(
    binaries: PostgresBinaries,
    port: number,
    folder: { readonly path: string; remove(): void },
    settings: { readonly [name: string]: string },
  ) {
    this.port = port;
    this.url = `postgres://postgres@127.0.0.1:${port}/postgres`;
    this.#binaries = binaries;
    this.folder = folder.path;
    this.#removeFolder = () => folder.remove();
    this.#settings = settings;
  }

  async start(): Promise<void> {
    if (this.#child !== undefined) return;
    const logFile = join(this.folder, "postgres.log");
    const log = openSync(logFile, "a");
    const flags = Object.entries(this.#settings).flatMap(([name, value]) => [
      "-c",
      `${name}=${value}`,
    ]);
    const child = spawn(
      join(this.#binaries.folder, "postgres"),
      ["-D", join(this.folder, "data"), "-p", String(this.port), ...flags],
      // A session of its own: Ctrl-C in a terminal is for the test run, which then stops us.
      { cwd: "/", detached: true, stdio: ["ignore", log, log], ...this.#binaries.runAs },
    );
    closeSync(log);
    child.unref();
    let failure: Error | undefined;
    child.on("error", (error) => (failure = error));
    child.on("exit", () => {
      if (this.#child === child) this.#ended();
    });
    this.#child = child;
    if (child.pid !== undefined) this.#guard = guardProcess(child.pid, "QUIT", this.folder);
    const describe = (): string =>
      `PostgreSQL did not start: ${failure?.message ?? readFileSync(logFile, "utf8").slice(-LOG_TAIL_CHARACTERS)}`;
    let ready = false;
    await waitUntil(
      async () => {
        if (this.#child !== child || failure !== undefined) return true;
        ready = await answers(this.url);
        return ready;
      },
      { timeoutMs: START_TIMEOUT_MS, describe },
    );
    if (!ready) throw new Error(describe());
  }

  async stop(): Promise<void> {
    // "Fast": sessions are ended and a checkpoint is written.
    await this.#end((pid) => void process.kill(pid, "SIGINT"));
  }

  async kill(): Promise<void> {
    let killed: readonly number[] = [];
    await this.#end((pid) => (killed = killTree(pid)));
    // A backend that still lingers would keep the shared memory and the next start would refuse.
    await waitUntil(() => killed.every((pid) => !isAlive(pid)), {
      timeoutMs: STOP_TIMEOUT_MS,
      describe: () => "PostgreSQL's backends outlived SIGKILL",
    });
  }

  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }

  async remove(): Promise<void> {
    await this.stop();
    this.#removeFolder();
  }

  async databaseUrl(name: string): Promise<string> {
    return createDatabase(this.url, name);
  }

  async #end(signal: (pid: number) => void): Promise<void> {
    const child = this.#child;
    if (child?.pid === undefined) return;
    const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
    signal(child.pid);
    child.ref();
    await ended;
  }

  #ended(): void {
    this.#child = undefined;
    this.#guard?.release();
    this.#guard = undefined;
  }
}

/** Starts a PostgreSQL of one's own; about 1.5 s. It ends with this process at the latest. */
export async function startPostgres(options: PostgresOptions = {}): Promise<PostgresServer> {
  const binaries = findPostgres();
  if (typeof binaries === "string") throw new Error(binaries);
  const folder = temporaryFolder("postgres");
  const dataFolder = join(folder.path, "data");
  mkdirSync(dataFolder, { mode: 0o700 });
  if (binaries.runAs !== undefined) {
    for (const path of [folder.path, dataFolder]) {
      chownSync(path, binaries.runAs.uid, binaries.runAs.gid);
    }
  }
  await initialize(binaries, dataFolder);
  const settings = { ...SETTINGS, ...options.settings };
  for (let attempt = 1; ; attempt += 1) {
    const server = new LocalPostgres(binaries, await freePort(), folder, settings);
    try {
      await server.start();
      return server;
    } catch (error) {
      await server.stop();
      // Another process may have taken the port between our look and PostgreSQL's.
      if (attempt === START_ATTEMPTS) throw error;
    }
  }
}
