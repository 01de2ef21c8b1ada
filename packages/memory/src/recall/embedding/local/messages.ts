import type { ModelSettings } from "./model-folder.ts";

/** What the worker is started with. */
export interface WorkerStart extends ModelSettings {
  /** Of the model's arithmetic; the event loop and the database want the other cores. */
  readonly threads: number;
}

export interface WorkerTask {
  readonly id: number;
  readonly texts: readonly string[];
}

export type WorkerMessage =
  | { readonly kind: "ready"; readonly dimensions: number }
  | {
      readonly kind: "unable";
      /** missing: the runtime is not installed. damaged: it cannot run the model. */
      readonly why: "damaged" | "missing";
      readonly message: string;
    }
  | {
      readonly kind: "done";
      readonly id: number;
      /** One after the other. */
      readonly vectors: Float32Array;
    }
  | { readonly kind: "failed"; readonly id: number; readonly message: string };
