import { parentPort, workerData } from "node:worker_threads";
import type * as Transformers from "@huggingface/transformers";
import type { WorkerMessage, WorkerStart, WorkerTask } from "./messages.ts";

/**
 * A thread that runs one model, one text at a time. Not in batches: a quantised model scales its
 * numbers to all that a batch holds, so the same text had vectors with a cosine of 0.99 by the company
 * it was in, for an eighth of the processor time saved.
 */

const PROBE = "cherry";

type Runtime = Pick<typeof Transformers, "env" | "pipeline">;

function tell(message: WorkerMessage, transfer: readonly ArrayBuffer[] = []): void {
  parentPort?.postMessage(message, [...transfer]);
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

async function load(
  { env, pipeline }: Runtime,
  start: WorkerStart,
): Promise<Transformers.FeatureExtractionPipeline> {
  // Nothing is ever fetched: a model is what lies in the folder, or an error.
  env.allowRemoteModels = false;
  env.allowLocalModels = true;
  env.localModelPath = start.parent;
  return pipeline("feature-extraction", start.name, {
    dtype: start.dtype,
    session_options: { intraOpNumThreads: start.threads, interOpNumThreads: 1 },
  });
}

async function serve(start: WorkerStart): Promise<void> {
  let runtime: Runtime;
  try {
    runtime = await import("@huggingface/transformers");
  } catch (error) {
    tell({ kind: "unable", why: "missing", message: reason(error) });
    return;
  }
  let embed: (text: string) => Promise<Float32Array>;
  try {
    const model = await load(runtime, start);
    embed = async (text) => {
      const { data } = await model(text, { pooling: start.pooling, normalize: true });
      return Float32Array.from(data as Float32Array);
    };
    tell({ kind: "ready", dimensions: (await embed(PROBE)).length });
  } catch (error) {
    tell({ kind: "unable", why: "damaged", message: reason(error) });
    return;
  }
  parentPort?.on("message", (task: WorkerTask) => void answer(task, embed));
}

async function answer(
  { id, texts }: WorkerTask,
  embed: (text: string) => Promise<Float32Array>,
): Promise<void> {
  try {
    const parts: number[] = [];
    for (const text of texts) parts.push(...(await embed(text)));
    const vectors = Float32Array.from(parts);
    tell({ kind: "done", id, vectors }, [vectors.buffer]);
  } catch (error) {
    tell({ kind: "failed", id, message: reason(error) });
  }
}

await serve(workerData as WorkerStart);
