import { MemoryError } from "../../../model/errors.ts";
import type {
  EmbeddingSource,
  SourceAnswer,
  SourceLimits,
  SourceRequest,
} from "../embedding-source.ts";
import { estimateTokens } from "../embedding-source.ts";
import { toUnit } from "../unit-vector.ts";
import { readModelFolder } from "./model-folder.ts";
import type { ModelFolder } from "./model-folder.ts";
import { ModelWorker } from "./model-worker.ts";

/** A question waits for one call at most: a few, each of some milliseconds. */
const LIMITS: SourceLimits = {
  textsMax: 4,
  bytesMax: 64 * 1024,
  // Such models read 512 tokens and leave the rest: beyond this there is only more to cut.
  textCharsMax: 4 * 1024,
  inFlightMax: 1,
};

/** A sentence model from a folder, in a thread of its own. Nothing is downloaded. */
export class LocalSource implements EmbeddingSource {
  readonly model: string;
  readonly dimensions: number;
  readonly version: string;
  readonly seesMeaning = true;
  readonly limits: SourceLimits = LIMITS;
  readonly #folder: ModelFolder;
  #worker: Promise<ModelWorker>;
  #isClosed = false;

  private constructor(folder: ModelFolder, worker: ModelWorker) {
    this.model = folder.name;
    this.dimensions = folder.dimensions;
    this.version = `${folder.dtype}-${folder.version}`;
    this.#folder = folder;
    this.#worker = Promise.resolve(worker);
  }

  /** INVALID_CONFIG when the folder holds no model that can be run. */
  static async open(path: string): Promise<LocalSource> {
    const folder = await readModelFolder(path);
    return new LocalSource(folder, await ModelWorker.start(folder));
  }

  async embedBatch(
    texts: readonly string[],
    { kind, signal }: SourceRequest,
  ): Promise<SourceAnswer> {
    const { queryPrefix, passagePrefix } = this.#folder;
    const prefix = kind === "query" ? queryPrefix : passagePrefix;
    const worker = await this.#living();
    signal.throwIfAborted();
    const all = await worker.run(texts.map((text) => prefix + text));
    const vectors = texts.map((_, at) =>
      all.slice(at * this.dimensions, (at + 1) * this.dimensions),
    );
    if (!vectors.every((vector) => vector.length === this.dimensions && toUnit(vector)))
      throw new MemoryError(
        "EMBEDDING_INVALID",
        `the local model ${this.model} gave a vector that is none; check its files`,
      );
    return { vectors, tokens: estimateTokens(texts) };
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    const worker = await this.#worker.catch(() => undefined);
    await worker?.end();
  }

  /** Ends the thread, as a lack of memory would; the next call starts another. */
  async endThread(): Promise<void> {
    await (await this.#worker).end();
  }

  /** One that stopped, for want of memory say, is replaced; that it fails again the breaker sees. */
  async #living(): Promise<ModelWorker> {
    if (this.#isClosed) throw new MemoryError("CLOSED", "the local model is closed");
    const worker = await this.#worker.catch(() => undefined);
    if (worker?.isAlive === true) return worker;
    this.#worker = ModelWorker.start(this.#folder);
    try {
      return await this.#worker;
    } catch (cause) {
      throw new MemoryError(
        "EMBEDDING_UNAVAILABLE",
        `the local model ${this.model} stopped and cannot be started again; check its files`,
        { cause },
      );
    }
  }
}
