import type {
  EmbeddingSource,
  SourceAnswer,
  SourceLimits,
  SourceRequest,
} from "./embedding-source.ts";

/** A source that adds one thing to another one, and is that one in all else. */
export abstract class SourceAround implements EmbeddingSource {
  protected readonly source: EmbeddingSource;

  constructor(source: EmbeddingSource) {
    this.source = source;
  }

  get model(): string {
    return this.source.model;
  }

  get dimensions(): number {
    return this.source.dimensions;
  }

  get version(): string {
    return this.source.version;
  }

  get seesMeaning(): boolean {
    return this.source.seesMeaning;
  }

  get limits(): SourceLimits {
    return this.source.limits;
  }

  abstract embedBatch(texts: readonly string[], request: SourceRequest): Promise<SourceAnswer>;

  close(): Promise<void> {
    return this.source.close();
  }
}
