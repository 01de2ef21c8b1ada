import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { closeSync, openSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { guardProcess } from "./guard.ts";
import type { Guard } from "./guard.ts";
import { waitUntil } from "./wait.ts";

const START_TIMEOUT_MS = 60_000;
const LOG_TAIL_CHARACTERS = 2_000;

export interface ServerProcessOptions {
  readonly program: string;
  readonly args: readonly string[];
  /** All that it finds in its environment; default: ours. */
  readonly env?: NodeJS.ProcessEnv;
  /** Where it runs, and `server.log` of its output. */
  readonly folder: string;
  /** Whether it answers. */
  readonly ready: () => Promise<boolean>;
}

/** One server that can be stopped, crashed, paused and started again. */
export class ServerProcess {
  readonly #options: ServerProcessOptions;
  #child: ChildProcess | undefined;
  #guard: Guard | undefined;

  constructor(options: ServerProcessOptions) {
    this.#options = options;
  }

  async start(): Promise<void> {
    if (this.#child !== undefined) return;
    const { program, args, env, folder, ready } = this.#options;
    const logFile = join(folder, "server.log");
    const log = openSync(logFile, "a");
    // A session of its own: Ctrl-C in a terminal is for the test run, which then stops us.
    const child = spawn(program, args, {
      cwd: folder,
      detached: true,
      stdio: ["ignore", log, log],
      ...(env === undefined ? {} : { env }),
    });
    closeSync(log);
    child.unref();
    let failure: Error | undefined;
    child.on("error", (error) => (failure = error));
    child.on("exit", () => {
      if (this.#child === child) this.#ended();
    });
    this.#child = child;
    if (child.pid !== undefined) this.#guard = guardProcess(child.pid, "TERM", folder);
    const describe = (): string =>
      `${basename(program)} did not start: ${failure?.message ?? readFileSync(logFile, "utf8").slice(-LOG_TAIL_CHARACTERS)}`;
    let answered = false;
    await waitUntil(
      async () => {
        if (this.#child !== child || failure !== undefined) return true;
        answered = await ready();
        return answered;
      },
      { timeoutMs: START_TIMEOUT_MS, describe },
    );
    if (!answered) throw new Error(describe());
  }

  /** In order: what is to be saved is saved. */
  async stop(): Promise<void> {
    await this.#end("SIGTERM");
  }

  /** A crash. */
  async kill(): Promise<void> {
    await this.#end("SIGKILL");
  }

  /** The process stands still: connections stay open and nothing answers. */
  pause(): void {
    this.#child?.kill("SIGSTOP");
  }

  resume(): void {
    this.#child?.kill("SIGCONT");
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    if (child?.pid === undefined) return;
    const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
    child.kill(signal);
    // A paused process would never see the other signal.
    child.kill("SIGCONT");
    child.ref();
    await ended;
  }

  #ended(): void {
    this.#child = undefined;
    this.#guard?.release();
    this.#guard = undefined;
  }
}
