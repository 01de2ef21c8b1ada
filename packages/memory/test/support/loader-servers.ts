import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { PartialConfig } from "../../src/config/resolve.ts";
import type { LoaderLine, LoaderOrder } from "./loader-process.ts";

const SCRIPT = fileURLToPath(new URL("loader-process.ts", import.meta.url));

/** One process of a loader test. */
export class LoaderServer {
  readonly lines: LoaderLine[] = [];
  readonly #child: ChildProcess;
  #complaints = "";
  #onLine = (): void => {};

  constructor(config: PartialConfig) {
    const flags = ["--conditions=@cherry-ai/source", SCRIPT];
    const child = spawn(process.execPath, [...flags, JSON.stringify(config)], {
      stdio: ["pipe", "pipe", "pipe"],
    });
    this.#child = child;
    child.stderr.on("data", (chunk: Buffer) => (this.#complaints += chunk.toString()));
    createInterface({ input: child.stdout }).on("line", (text) => {
      this.lines.push(JSON.parse(text) as LoaderLine);
      this.#onLine();
    });
    child.once("exit", () => this.#onLine());
  }

  get loads(): number {
    return this.lines.filter(({ kind }) => kind === "load").length;
  }

  /** What its callers got, once they all have it. */
  async values(): Promise<readonly string[]> {
    const line = await this.heard("done");
    return line.kind === "done" ? line.values : [];
  }

  /** The first line of this kind. */
  async heard(kind: LoaderLine["kind"]): Promise<LoaderLine> {
    for (;;) {
      const line = this.lines.find((one) => one.kind === kind);
      if (line !== undefined) return line;
      if (this.#child.exitCode !== null)
        throw new Error(`the process ended without "${kind}": ${this.#complaints}`);
      await new Promise<void>((resolve) => {
        this.#onLine = resolve;
      });
    }
  }

  order(order: LoaderOrder): void {
    this.#child.stdin?.write(`${JSON.stringify(order)}\n`);
  }

  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = once(this.#child, "exit");
    this.#child.kill("SIGKILL");
    await exited;
  }
}
