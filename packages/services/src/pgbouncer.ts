import { execFileSync, spawn } from "node:child_process";
import { chmodSync, closeSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { freePort } from "./free-port.ts";
import { guardProcess } from "./guard.ts";
import { findPostgres } from "./postgres/binaries.ts";
import { answers } from "./postgres/answers.ts";
import { temporaryFolder } from "./temporary-folder.ts";
import { waitUntil } from "./wait.ts";

const START_TIMEOUT_MS = 20_000;

export interface PgBouncerOptions {
  /** The server behind it. */
  readonly postgres: { readonly port: number };
  readonly poolMode?: "transaction" | "session";
  /** Server connections a database; fewer than clients, so that transactions share them. */
  readonly poolSize?: number;
}

export interface PgBouncer {
  readonly port: number;
  url(database: string): string;
  stop(): Promise<void>;
}

function findPgBouncer(): string | undefined {
  const script = "command -v pgbouncer || ls /usr/sbin/pgbouncer";
  try {
    return execFileSync("/bin/sh", ["-c", script], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    }).trim();
  } catch {
    return undefined;
  }
}

/** undefined when `startPgBouncer` can work on this machine, otherwise why not. */
export function pgBouncerAvailable(): string | undefined {
  return findPgBouncer() === undefined
    ? "no pgbouncer on PATH (Debian: apt-get install pgbouncer)"
    : undefined;
}

function configuration(folder: string, port: number, options: PgBouncerOptions): string {
  return [
    "[databases]",
    `* = host=127.0.0.1 port=${options.postgres.port} user=postgres`,
    "[pgbouncer]",
    "listen_addr = 127.0.0.1",
    `listen_port = ${port}`,
    "unix_socket_dir =",
    "auth_type = any",
    `auth_file = ${join(folder, "users.txt")}`,
    `pool_mode = ${options.poolMode ?? "transaction"}`,
    `default_pool_size = ${options.poolSize ?? 10}`,
    "max_client_conn = 500",
    "ignore_startup_parameters = extra_float_digits",
    "",
  ].join("\n");
}

/** PgBouncer before a PostgreSQL. In transaction mode a session's state does not survive. */
export async function startPgBouncer(options: PgBouncerOptions): Promise<PgBouncer> {
  const program = findPgBouncer();
  if (program === undefined) throw new Error(pgBouncerAvailable());
  const found = findPostgres();
  const runAs = typeof found === "string" ? undefined : found.runAs;
  const folder = temporaryFolder("pgbouncer");
  const port = await freePort();
  chmodSync(folder.path, 0o755);
  writeFileSync(join(folder.path, "users.txt"), '"postgres" ""\n');
  writeFileSync(join(folder.path, "pgbouncer.ini"), configuration(folder.path, port, options));
  const logFile = join(folder.path, "pgbouncer.log");
  const log = openSync(logFile, "a");
  const child = spawn(program, [join(folder.path, "pgbouncer.ini")], {
    cwd: "/",
    detached: true,
    stdio: ["ignore", log, log],
    ...runAs,
  });
  closeSync(log);
  let ended = false;
  const exited = new Promise<void>((resolve) => {
    const end = (): void => {
      ended = true;
      resolve();
    };
    child.once("exit", end);
    child.once("error", end);
  });
  child.unref();
  if (child.pid === undefined) throw new Error(`${program} could not be started`);
  const guard = guardProcess(child.pid, "TERM", folder.path);
  const url = (database: string): string =>
    `postgres://postgres@127.0.0.1:${port}/${encodeURIComponent(database)}`;
  const describe = (): string => `pgbouncer did not start: ${readFileSync(logFile, "utf8")}`;
  await waitUntil(async () => ended || (await answers(url("postgres"))), {
    timeoutMs: START_TIMEOUT_MS,
    describe,
  });
  if (ended) throw new Error(describe());
  return {
    port,
    url,
    stop: async () => {
      // TERM means at once; INT would wait for clients.
      if (!ended) child.kill("SIGTERM");
      child.ref();
      await exited;
      guard.release();
      folder.remove();
    },
  };
}
