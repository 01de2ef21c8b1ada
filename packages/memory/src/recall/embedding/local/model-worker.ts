import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import { MemoryError } from "../../../model/errors.ts";
import type { WorkerMessage, WorkerStart, WorkerTask } from "./messages.ts";
import { damaged } from "./model-folder.ts";
import type { ModelFolder } from "./model-folder.ts";
import { join } from "node:path";

/** Of this machine's cores, the share that a model may keep busy. */
const CORES_SHARE = 0.5;

interface Pending {
  readonly resolve: (vectors: Float32Array) => void;
  readonly reject: (error: Error) => void;
}

/** The thread of one model, from its start to its end; it does not come back by itself. */
export class ModelWorker {
  readonly #worker: Worker;
  readonly #pending = new Map<number, Pending>();
  #nextId = 1;
  #ended: Error | undefined;

  private constructor(worker: Worker) {
    this.#worker = worker;
  }

  /** Loads the model and tries it; INVALID_CONFIG when it cannot be run. */
  static async start(model: ModelFolder): Promise<ModelWorker> {
    const { parent, name, dtype, pooling } = model;
    const threads = Math.max(1, Math.floor(availableParallelism() * CORES_SHARE));
    const workerData: WorkerStart = { parent, name, dtype, pooling, threads };
    // The source runs as it is; what is published has been compiled.
    const file = import.meta.url.endsWith(".ts") ? "./worker.ts" : "./worker.js";
    const started = new ModelWorker(new Worker(new URL(file, import.meta.url), { workerData }));
    try {
      await started.#becomeReady(model);
    } catch (error) {
      await started.end();
      throw error;
    }
    return started;
  }

  /** False once it has stopped, for whatever reason. */
  get isAlive(): boolean {
    return this.#ended === undefined;
  }

  async run(texts: readonly string[]): Promise<Float32Array> {
    if (this.#ended !== undefined) throw stopped(this.#ended);
    const task: WorkerTask = { id: this.#nextId++, texts };
    const answer = new Promise<Float32Array>((resolve, reject) => {
      this.#pending.set(task.id, { resolve, reject });
    });
    // An idle model does not keep a process from ending; one that works does.
    this.#worker.ref();
    this.#worker.postMessage(task);
    return answer;
  }

  async end(): Promise<void> {
    this.#stop(new Error("it was closed"));
    await this.#worker.terminate();
  }

  async #becomeReady(model: ModelFolder): Promise<void> {
    const first = Promise.withResolvers<WorkerMessage>();
    this.#worker.on("message", (message: WorkerMessage) => {
      first.resolve(message);
      this.#receive(message);
    });
    for (const event of ["error", "exit"] as const)
      this.#worker.on(event, (cause: unknown) => {
        const error =
          cause instanceof Error ? cause : new Error(`it ended with code ${String(cause)}`);
        first.reject(error);
        this.#stop(error);
      });
    const folder = join(model.parent, model.name);
    const message = await first.promise.catch((cause: unknown) => {
      throw damaged(folder, "its thread stopped", cause);
    });
    if (message.kind === "unable") throw unable(folder, message);
    if (message.kind === "ready" && message.dimensions !== model.dimensions)
      throw damaged(
        folder,
        `its vectors have ${message.dimensions} dimensions where its config.json says ${model.dimensions}`,
      );
    this.#worker.unref();
  }

  #receive(message: WorkerMessage): void {
    if (message.kind !== "done" && message.kind !== "failed") return;
    const pending = this.#pending.get(message.id);
    this.#pending.delete(message.id);
    if (this.#pending.size === 0) this.#worker.unref();
    if (message.kind === "done") pending?.resolve(message.vectors);
    else
      pending?.reject(
        new MemoryError("EMBEDDING_UNAVAILABLE", `the local model failed: ${message.message}`),
      );
  }

  #stop(cause: Error): void {
    this.#ended ??= cause;
    for (const { reject } of this.#pending.values()) reject(stopped(cause));
    this.#pending.clear();
  }
}

function stopped(cause: Error): MemoryError {
  return new MemoryError(
    "EMBEDDING_UNAVAILABLE",
    "the thread of the local model stopped; it is started again by the next call",
    { cause },
  );
}

function unable(
  folder: string,
  { why, message }: Extract<WorkerMessage, { readonly kind: "unable" }>,
): MemoryError {
  if (why === "damaged") return damaged(folder, message);
  return new MemoryError(
    "INVALID_CONFIG",
    `local models need the package @huggingface/transformers, which is not installed; run: npm install @huggingface/transformers (${message})`,
    { field: "CHERRY_EMBEDDINGS" },
  );
}
