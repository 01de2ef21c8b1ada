import { fork } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { Answer, Assignment, Call, FromServer, ToServer, Value } from "./protocol.ts";

const MAIN = fileURLToPath(new URL("./server-main.ts", import.meta.url));
const START_TIMEOUT_MS = 60_000;
/** Above all of the product's own limits: whatever answers, answers before. */
const CALL_TIMEOUT_MS = 20_000;
const CLOSE_TIMEOUT_MS = 20_000;
const STDERR_TAIL_CHARACTERS = 2000;

/** A call that was refused, or whose answer never came. */
export class CallFailed extends Error {
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

/** The server died, or did not answer in time. */
const NO_ANSWER = "NO_ANSWER";

export interface ServerOptions {
  readonly name: string;
  readonly assignment: () => Assignment;
  /** The source of loaders. */
  readonly load: (namespace: string, key: string) => Promise<Value>;
}

interface Waiting {
  readonly settle: (answer: Answer) => void;
  readonly refuse: (error: CallFailed) => void;
}

/** A server in a process of its own that can be killed, paused and started again. */
export class ServerProcess {
  readonly index: number;
  /** Nobody but a fault asks it meanwhile. */
  isAway = false;
  sessions = false;
  /** Processes that ended without being told to. */
  crashes = 0;
  readonly #options: ServerOptions;
  readonly #waiting = new Map<number, Waiting>();
  #child: ChildProcess | undefined;
  #isStarted = false;
  #life = 0;
  #lastId = 0;
  #stderr = "";

  constructor(index: number, options: ServerOptions) {
    this.index = index;
    this.#options = options;
  }

  /** Another name for each life. */
  get name(): string {
    return `${this.#options.name}.${this.#life}`;
  }

  async start(): Promise<void> {
    this.#life += 1;
    this.#isStarted = false;
    this.#stderr = "";
    const child = fork(MAIN, [JSON.stringify(this.#options.assignment())], {
      execArgv: ["--conditions=@cherry-ai/source"],
      stdio: ["ignore", "ignore", "pipe", "ipc"],
    });
    this.#child = child;
    child.stderr?.on("data", (data: Buffer) => {
      this.#stderr = (this.#stderr + data.toString()).slice(-STDERR_TAIL_CHARACTERS);
    });
    child.on("exit", () => this.#ended(child));
    const ready = new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => {
        child.kill("SIGKILL");
        reject(this.#broken("did not start"));
      }, START_TIMEOUT_MS);
      child.once("exit", () => {
        clearTimeout(timer);
        reject(this.#broken("ended while it started"));
      });
      child.on("message", (message: FromServer) => {
        if (message.kind === "ready") {
          this.sessions = message.sessions;
          clearTimeout(timer);
          resolve();
        } else this.#take(child, message);
      });
    });
    await ready;
    this.#isStarted = true;
  }

  get isDown(): boolean {
    return this.#child === undefined;
  }

  call(call: Call): Promise<Answer> {
    const child = this.#child;
    if (child === undefined || !child.connected)
      return Promise.reject(new CallFailed("DOWN", `${this.name} is down; nothing was sent`));
    this.#lastId += 1;
    const id = this.#lastId;
    return new Promise((resolve, reject) => {
      const done = (act: () => void): void => {
        clearTimeout(timer);
        this.#waiting.delete(id);
        act();
      };
      const timer = setTimeout(
        () => done(() => reject(new CallFailed(NO_ANSWER, `${this.name}: no answer in time`))),
        CALL_TIMEOUT_MS,
      );
      this.#waiting.set(id, {
        settle: (answer) => done(() => resolve(answer)),
        refuse: (error) => done(() => reject(error)),
      });
      this.#send(child, { kind: "call", id, call });
    });
  }

  pause(): void {
    this.#child?.kill("SIGSTOP");
  }

  resume(): void {
    this.#child?.kill("SIGCONT");
  }

  async kill(): Promise<void> {
    const child = this.#child;
    if (child === undefined) return;
    const exit = once(child, "exit");
    this.#child = undefined;
    child.kill("SIGKILL");
    await exit;
  }

  /** In order; by force when that takes too long. */
  async close(): Promise<void> {
    const child = this.#child;
    if (child === undefined) return;
    this.#child = undefined;
    const exit = once(child, "exit");
    child.kill("SIGCONT");
    this.#send(child, { kind: "call", id: 0, call: { op: "close" } });
    const timer = setTimeout(() => child.kill("SIGKILL"), CLOSE_TIMEOUT_MS);
    await exit;
    clearTimeout(timer);
  }

  #send(child: ChildProcess, message: ToServer): void {
    // A channel that has just closed says so by `exit`, which fails all that waits.
    if (child.connected) child.send(message, () => {});
  }

  #take(child: ChildProcess, message: FromServer): void {
    if (message.kind === "load") {
      const { id, namespace, key } = message;
      void this.#options
        .load(namespace, key)
        .then((value) => this.#send(child, { kind: "loaded", id, value }));
    } else if (message.kind === "answer") this.#waiting.get(message.id)?.settle(message.answer);
    else if (message.kind === "failed")
      this.#waiting.get(message.id)?.refuse(new CallFailed(message.code, message.message));
  }

  #ended(child: ChildProcess): void {
    if (this.#child === child) {
      this.#child = undefined;
      this.crashes += 1;
      // As a supervisor would; one that ends while it starts is left to the next fault or the end.
      if (this.#isStarted) this.start().catch(() => {});
    }
    const error = new CallFailed(NO_ANSWER, `${this.name} ended`);
    for (const waiting of this.#waiting.values()) waiting.refuse(error);
  }

  #broken(what: string): Error {
    return new Error(`${this.name} ${what}: ${this.#stderr}`);
  }
}
