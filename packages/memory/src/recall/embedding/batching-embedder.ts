import { Buffer } from "node:buffer";
import { MemoryError } from "../../model/errors.ts";
import type { EmbedKind, EmbedRequest, Embedder } from "./embedder.ts";
import type { EmbeddingSource } from "./embedding-source.ts";
import { EmbedJob } from "./embed-job.ts";

/** One text that waits for its vector, at its place in its caller's answer. */
interface Waiting {
  readonly text: string;
  readonly bytes: number;
  readonly index: number;
  readonly job: EmbedJob;
}

interface Flight {
  readonly waiting: readonly Waiting[];
  readonly controller: AbortController;
}

export interface BatchingOptions {
  /** Texts that may wait over all callers; a single call of more is taken when nothing waits. */
  readonly waitingTextsMax?: number;
}

const WAITING_TEXTS_MAX = 20_000;
/** Somebody waits for the answer to a question; nobody for that to a write. */
const KINDS_BY_HASTE: readonly EmbedKind[] = ["query", "passage"];

/**
 * Any number of texts from any number of callers, as few and as full calls of the source as they
 * allow. Nothing is held back to fill a batch: what comes while all calls are in flight goes out
 * together when one ends. So a lone caller never waits, and a crowd is batched by its own pressure.
 */
export class BatchingEmbedder implements Embedder {
  readonly model: string;
  readonly dimensions: number;
  readonly version: string;
  readonly seesMeaning: boolean;
  readonly #source: EmbeddingSource;
  readonly #waitingTextsMax: number;
  readonly #waiting: { readonly [kind in EmbedKind]: Set<Waiting> } = {
    query: new Set(),
    passage: new Set(),
  };
  readonly #flights = new Set<Flight>();
  #pumpIsDue = false;
  #isClosed = false;

  constructor(source: EmbeddingSource, options: BatchingOptions = {}) {
    this.#source = source;
    this.#waitingTextsMax = options.waitingTextsMax ?? WAITING_TEXTS_MAX;
    this.model = source.model;
    this.dimensions = source.dimensions;
    this.version = source.version;
    this.seesMeaning = source.seesMeaning;
  }

  async embed(
    texts: readonly string[],
    { kind, signal }: EmbedRequest,
  ): Promise<readonly Float32Array[]> {
    if (this.#isClosed) throw closed();
    signal?.throwIfAborted();
    const queue = this.#waiting[kind];
    if (queue.size > 0 && queue.size + texts.length > this.#waitingTextsMax)
      throw new MemoryError(
        "EMBEDDING_UNAVAILABLE",
        `${queue.size} texts wait to be embedded, at most ${this.#waitingTextsMax} may; try again in a moment`,
      );
    const job = new EmbedJob(texts.length);
    const { textCharsMax } = this.#source.limits;
    for (const [index, whole] of texts.entries()) {
      // Half a surrogate pair, cut or given, is nothing that can be sent as UTF-8.
      const text = whole.slice(0, textCharsMax).toWellFormed();
      if (text.trim() === "") job.put(index, new Float32Array(this.dimensions));
      else queue.add({ text, bytes: Buffer.byteLength(text), index, job });
    }
    this.#pumpSoon();
    return job.answer(signal, () => this.#letGo());
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    for (const queue of Object.values(this.#waiting)) {
      for (const { job } of queue) job.fail(closed());
      queue.clear();
    }
    for (const { waiting, controller } of this.#flights) {
      for (const { job } of waiting) job.fail(closed());
      controller.abort(closed());
    }
    await this.#source.close();
  }

  /** Callers of one turn of the event loop share a batch. */
  #pumpSoon(): void {
    if (this.#pumpIsDue) return;
    this.#pumpIsDue = true;
    queueMicrotask(() => {
      this.#pumpIsDue = false;
      this.#pump();
    });
  }

  #pump(): void {
    while (this.#flights.size < this.#source.limits.inFlightMax) {
      const kind = KINDS_BY_HASTE.find((each) => this.#waiting[each].size > 0);
      if (kind === undefined) return;
      const waiting = this.#take(this.#waiting[kind]);
      if (waiting.length > 0) void this.#fly(waiting, kind);
    }
  }

  /** As many as one call may carry, and one at least; those whose caller is gone are dropped. */
  #take(queue: Set<Waiting>): readonly Waiting[] {
    const { textsMax, bytesMax } = this.#source.limits;
    const taken: Waiting[] = [];
    let bytes = 0;
    for (const next of queue) {
      if (!next.job.isOver) {
        const isFull = taken.length >= textsMax || bytes + next.bytes > bytesMax;
        if (taken.length > 0 && isFull) break;
        bytes += next.bytes;
        taken.push(next);
      }
      queue.delete(next);
    }
    return taken;
  }

  async #fly(waiting: readonly Waiting[], kind: EmbedKind): Promise<void> {
    const flight = { waiting, controller: new AbortController() };
    this.#flights.add(flight);
    try {
      await this.#ask(waiting, kind, flight.controller.signal);
    } finally {
      this.#flights.delete(flight);
      this.#pumpSoon();
    }
  }

  /** A refused batch is asked again by halves: only those who gave a refused text hear of it. */
  async #ask(waiting: readonly Waiting[], kind: EmbedKind, signal: AbortSignal): Promise<void> {
    const places = Map.groupBy(
      waiting.filter(({ job }) => !job.isOver),
      ({ text }) => text,
    );
    const texts = [...places.keys()];
    if (texts.length === 0) return;
    try {
      const { vectors } = await this.#source.embedBatch(texts, { kind, signal });
      for (const [at, text] of texts.entries())
        for (const { job, index } of places.get(text) ?? []) job.put(index, vectors[at]);
    } catch (error) {
      const isRefused = error instanceof MemoryError && error.code === "EMBEDDING_REFUSED";
      if (!isRefused || texts.length === 1) {
        for (const { job } of waiting) job.fail(error);
        return;
      }
      const half = new Set(texts.slice(0, texts.length / 2));
      await this.#ask(
        waiting.filter(({ text }) => half.has(text)),
        kind,
        signal,
      );
      await this.#ask(
        waiting.filter(({ text }) => !half.has(text)),
        kind,
        signal,
      );
    }
  }

  /** A call that nobody waits for any more makes room for one that somebody does. */
  #letGo(): void {
    for (const { waiting, controller } of this.#flights)
      if (waiting.every(({ job }) => job.isOver))
        controller.abort(new MemoryError("EMBEDDING_UNAVAILABLE", "nobody waits for it any more"));
  }
}

function closed(): MemoryError {
  return new MemoryError("CLOSED", "the embedder is closed; make a new one");
}
